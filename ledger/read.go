package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// firstRead is enough for most answers and cheap for all; what is longer takes a further read or two.
const firstRead = 4 << 10

// Read reads a result back and verifies it. dst keeps its buffers, so ID and Response are good until
// its next Read. A line that no longer is what was written is a *[DamageError].
func (l *Ledger) Read(ref Ref, dst *Result) error {
	l.mu.Lock()
	file, end := l.file, l.end
	l.mu.Unlock()
	at := ref.offset()
	if at < 0 || at >= end {
		return fmt.Errorf("reading ledger %s: no result at byte %d", l.path, at)
	}
	line, err := dst.line.readAt(file, at, end)
	if err != nil {
		return fmt.Errorf("reading ledger %s at byte %d: %w", l.path, at, err)
	}
	if err = verify(line); err == nil {
		err = dst.decode(line)
	}
	if err != nil {
		return &DamageError{Path: l.path, Offset: at, Err: err}
	}
	return nil
}

// ReadMatch is Read for a result found by its hashes: it compares what they stand for. Where the id
// is another one, or the request is and request is not nil, the error is ErrMismatch, and dst holds
// the other record's result.
func (l *Ledger) ReadMatch(ref Ref, id []byte, request *[32]byte, dst *Result) error {
	if err := l.Read(ref, dst); err != nil {
		return err
	}
	if !bytes.Equal(id, dst.ID) || request != nil && *request != dst.Request {
		return ErrMismatch
	}
	return nil
}

// readAt reads the line that begins at at, which lies before end.
func (b *lineBuffer) readAt(file io.ReaderAt, at, end int64) ([]byte, error) {
	have := 0
	for size := firstRead; ; size *= 2 {
		size = int(min(int64(size), end-at))
		if cap(b.data) < size {
			b.data = append(make([]byte, 0, size), b.data[:have]...)
		}
		b.data = b.data[:size]
		if _, err := file.ReadAt(b.data[have:], at+int64(have)); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if i := bytes.IndexByte(b.data[have:], '\n'); i >= 0 {
			return b.data[:have+i], nil
		}
		if have = size; int64(size) == end-at {
			return nil, errors.New("line has no end")
		}
	}
}
