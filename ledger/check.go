package ledger

import (
	"errors"
	"fmt"
	"io"

	"llmpipe/ledger/line"
)

// check verifies a line and reads its beginning.
func check(path string, text []byte, at int64) (line.Head, error) {
	if err := line.Verify(text); err != nil {
		if at == 0 && line.Foreign(text) {
			return line.Head{}, notLedger(path, text)
		}
		return line.Head{}, &DamageError{Path: path, Offset: at, Err: err}
	}
	return headOf(path, text, at)
}

// headOf reads the beginning of a line whose checksum is right.
func headOf(path string, text []byte, at int64) (line.Head, error) {
	h, ok := line.ParseHead(text)
	if !ok {
		return line.Head{}, &DamageError{Path: path, Offset: at, Err: line.ErrMalformed}
	}
	if h.Format > line.FormatVersion {
		return line.Head{}, fmt.Errorf("reading ledger %s at byte %d: %w, in format %d", path, at, ErrVersion, h.Format)
	}
	return h, nil
}

// ended says what an error of reading at an offset means: io.EOF if nothing is wrong.
func ended(path string, tail []byte, at int64, err error) error {
	switch {
	case err == io.EOF && at == 0 && line.ForeignTail(tail):
		return notLedger(path, tail)
	case err == io.EOF:
		return err
	case errors.Is(err, line.ErrTooLong):
		return &DamageError{Path: path, Offset: at, Err: err}
	}
	return fmt.Errorf("reading ledger %s at byte %d: %w", path, at, err)
}

func notLedger(path string, start []byte) error {
	const shown = 16
	if name := compression(start); name != "" {
		return fmt.Errorf("opening ledger %s: %w: it is compressed (%s)", path, ErrCompressed, name)
	}
	return fmt.Errorf("opening ledger %s: %w: it begins with %q", path, ErrNotLedger, start[:min(shown, len(start))])
}

func tooLarge(path string, at int64) error {
	return fmt.Errorf("reading ledger %s at byte %d: a ledger has at most 256 TiB", path, at)
}
