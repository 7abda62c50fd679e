package ledger

import (
	"errors"
	"fmt"
	"io"

	"llmpipe/ledger/line"
)

// repairer tells what is whole in a damaged ledger from what is not.
type repairer struct {
	scan  scanner
	keep  func(text []byte) error
	lose  func(piece []byte) error
	stats RepairStats
}

// all keeps what can be kept of a whole ledger, what follows its last newline included.
func (r *repairer) all(lines *line.Reader) error {
	for {
		text, at, err := lines.Next()
		if err != nil && err != io.EOF {
			return fmt.Errorf("reading ledger %s at byte %d: %w", r.scan.path, at, err)
		}
		last := err == io.EOF
		if last {
			text = lines.Tail()
		}
		if at == 0 && line.Foreign(text) && (!last || line.ForeignTail(text)) {
			return notLedger(r.scan.path, text)
		}
		if line.Blank(text) && !last {
			continue
		}
		if err := r.between(text, at); err != nil || last {
			return err
		}
	}
}

// between keeps what can be kept of what stands between two newlines: of a damaged newline two
// lines are left, and behind a torn line may stand a whole one.
func (r *repairer) between(text []byte, at int64) error {
	if line.Verify(text) == nil {
		return r.take(text, at) // whatever in it looks like two lines
	}
	end := 0 // of the line before
	budget := line.MaxSearch
	for from := 0; from >= 0; {
		n := line.SealedLen(text[from:], &budget)
		if n == 0 {
			from = line.NextHead(text, from+1)
			continue
		}
		if err := r.dropGap(text[end:from], end > 0); err != nil {
			return err
		}
		if err := r.take(text[from:from+n], at+int64(from)); err != nil {
			return err
		}
		end = from + n
		from = end + 1
		if from >= len(text) || !line.Begins(text[from:]) { // else it is one, of whatever kind
			from = line.NextHead(text, end)
		}
	}
	return r.dropGap(text[end:], end > 0)
}

// take keeps a line with a right checksum, if it can be read.
func (r *repairer) take(text []byte, at int64) error {
	h, err := headOf(r.scan.path, text, at)
	if err == nil {
		_, err = r.scan.read(text, at, &h)
	}
	if err == nil && h.Kind == line.KindBatch && h.Step == ShardIntent {
		err = line.EachRecord(text, func(ShardRecord) error { return nil })
	}
	switch {
	case errors.Is(err, ErrVersion):
		return err
	case err != nil:
		return r.drop(text)
	}
	r.stats.Kept++
	return r.keep(text)
}

// dropGap drops what stands between lines, but for the one byte behind a line that was its newline.
func (r *repairer) dropGap(gap []byte, behindLine bool) error {
	if behindLine && len(gap) == 1 {
		return nil
	}
	return r.drop(gap)
}

func (r *repairer) drop(piece []byte) error {
	if len(piece) == 0 {
		return nil
	}
	r.stats.Lost++
	r.stats.LostBytes += int64(len(piece))
	return r.lose(piece)
}
