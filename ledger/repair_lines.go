package ledger

import (
	"errors"
	"fmt"
	"io"

	"llmpipe/ledger/line"
)

// repairer separates what is whole in a damaged ledger from what is not.
type repairer struct {
	scan    scanner
	keep    func(text []byte) error
	lose    func(piece []byte) error
	damaged bool // what is kept differs from what is in the file
	stats   RepairStats
}

// all keeps what can be kept of a whole ledger, including what follows its last newline.
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
		if last && len(text) == 0 {
			return nil
		}
		if line.Blank(text) && !last {
			continue
		}
		r.damaged = r.damaged || last // its newline is missing
		if err := r.between(text, at); err != nil || last {
			return err
		}
	}
}

// between keeps what can be kept between two newlines. A damaged newline leaves two lines there,
// and a whole line may follow a torn one.
func (r *repairer) between(text []byte, at int64) error {
	if line.Verify(text) == nil {
		return r.take(text, at) // even if something in it looks like two lines
	}
	r.damaged = true
	behindLine := false
	for _, p := range line.Pieces(text) {
		piece := text[p.From:p.To]
		switch {
		case p.Whole:
			if err := r.take(piece, at+int64(p.From)); err != nil {
				return err
			}
		case behindLine && len(piece) == 1: // a damaged newline
		default:
			if err := r.drop(piece); err != nil {
				return err
			}
		}
		behindLine = p.Whole
	}
	return nil
}

// take keeps a line with a right checksum if it can be decoded.
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

func (r *repairer) drop(piece []byte) error {
	r.damaged = true
	r.stats.Lost++
	r.stats.LostBytes += int64(len(piece))
	return r.lose(piece)
}
