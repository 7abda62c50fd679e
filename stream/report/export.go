package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"llmpipe/ledger"
	"llmpipe/stream/input"
	"llmpipe/stream/output"
	"llmpipe/stream/record"
	"llmpipe/stream/record/fit"
	"llmpipe/stream/ui"
)

// ExportConfig says which results of which ledgers are written, and how.
type ExportConfig struct {
	Ledgers []string
	Format  record.Format
	// Sample is how many results are written: those with the smallest hash of Seed and id, as the
	// filter chooses them. 0 is all.
	Sample int
	Seed   uint64
	Voice  *ui.Voice
}

// exportBuffer is the number of bytes that are collected for one write.
const exportBuffer = 1 << 20

// Export writes the newest result of every record in some ledgers to w, one ledger after the other,
// each in its own order.
func Export(w io.Writer, c ExportConfig) error {
	chosen, err := c.choose()
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, exportBuffer)
	var line []byte
	written := 0
	err = c.latest(warnings(c.Voice), func(path string, e ledger.Entry) error {
		if chosen != nil && !chosen[place{path, e.Offset}] {
			return nil
		}
		if line, err = appendRecorded(line[:0], c.Format, e.Result); err != nil {
			return fmt.Errorf("ledger %s at byte %d: %w", path, e.Offset, err)
		}
		written++
		_, err := out.Write(line)
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	if ui.IsClosedPipe(err) {
		return nil // the reader has seen enough
	}
	if err == nil && written == 0 {
		c.Voice.Warn("there is no answer in %s", strings.Join(c.Ledgers, ", "))
	}
	return err
}

// place is where a result is recorded.
type place struct {
	path   string
	offset int64
}

// choose returns the places of the sample, or nil if all results are wanted.
func (c *ExportConfig) choose() (map[place]bool, error) {
	if c.Sample <= 0 {
		return nil, nil
	}
	s := input.Sampler[place]{N: c.Sample}
	err := c.latest(nil, func(path string, e ledger.Entry) error {
		s.Offer(input.Rank(c.Seed, e.Result.ID), place{path, e.Offset})
		return nil
	})
	if err != nil {
		return nil, err
	}
	chosen := make(map[place]bool)
	for _, at := range s.Chosen() {
		chosen[at] = true
	}
	return chosen, nil
}

// latest calls f with the newest result of every record, except for results that do not fit their
// schema.
func (c *ExportConfig) latest(warn func(string), f func(string, ledger.Entry) error) error {
	return readHint(c.Ledgers[0], ledger.ScanLatest(c.Ledgers, warn, func(path string, e ledger.Entry) error {
		if e.Result.Misfit != "" { // its record has failed, or will be asked again
			return nil
		}
		return f(path, e)
	}))
}

// appendRecorded appends the output line of a recorded result.
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
		ID: r.ID, Answer: &answer, Response: r.Response, CostNanos: r.CostNanos, CostKnown: r.CostKnown, CostPartial: r.CostPartial,
		Attempts: r.Attempts, LatencyMS: r.LatencyMS, DowngradedFrom: r.DowngradedFrom, SameAs: r.SameAs,
	}
	if r.Fits {
		line.Parsed = fit.Value(&answer)
	}
	output.AddEarlier(&line, &r.Earlier)
	return f.Append(dst, &line), nil
}
