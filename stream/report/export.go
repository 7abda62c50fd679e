package report

import (
	"bufio"
	"fmt"
	"io"

	"llmpipe/ledger"
	"llmpipe/stream/input"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// ExportConfig says what of a ledger is written, and how.
type ExportConfig struct {
	Ledger string
	Format record.Format
	// Sample writes only the so many results with the smallest hash of Seed and id, as the filter's
	// does.
	Sample int
	Seed   uint64
}

// exportBuffer is how much is collected for one write, in bytes.
const exportBuffer = 1 << 20

// Export writes the newest result of every record in a ledger to w, in the order of the ledger.
func Export(w io.Writer, c ExportConfig) error {
	chosen, err := c.choose()
	if err != nil {
		return readHint(c.Ledger, err)
	}
	out := bufio.NewWriterSize(w, exportBuffer)
	var line []byte
	err = ledger.ScanLatest(c.Ledger, func(e ledger.Entry) error {
		if chosen != nil && !chosen[e.Offset] {
			return nil
		}
		if line, err = appendRecorded(line[:0], c.Format, e.Result); err != nil {
			return fmt.Errorf("ledger %s at byte %d: %w", c.Ledger, e.Offset, err)
		}
		_, err := out.Write(line)
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	if ui.IsClosedPipe(err) {
		return nil // who asked for it has seen enough
	}
	return readHint(c.Ledger, err)
}

// choose returns the offsets of the sample, nil when all are wanted.
func (c *ExportConfig) choose() (map[int64]bool, error) {
	if c.Sample <= 0 {
		return nil, nil
	}
	s := input.Sampler[int64]{N: c.Sample}
	err := ledger.ScanLatest(c.Ledger, func(e ledger.Entry) error {
		s.Offer(input.Rank(c.Seed, e.Result.ID), e.Offset)
		return nil
	})
	if err != nil {
		return nil, err
	}
	chosen := make(map[int64]bool)
	for _, offset := range s.Chosen() {
		chosen[offset] = true
	}
	return chosen, nil
}

// appendRecorded appends the line of a recorded result.
func appendRecorded(dst []byte, f record.Format, r *ledger.Result) ([]byte, error) {
	endpoint, err := record.ParseEndpoint(r.Endpoint)
	if err != nil {
		return dst, err
	}
	answer, err := record.ParseAnswer(endpoint, r.Response)
	if err != nil {
		return dst, err
	}
	line := record.Result{
		ID: r.ID, Answer: &answer, Response: r.Response, CostNanos: r.CostNanos, CostKnown: r.CostKnown,
		Attempts: r.Attempts, LatencyMS: r.LatencyMS, DowngradedFrom: r.DowngradedFrom,
	}
	return f.Append(dst, &line), nil
}
