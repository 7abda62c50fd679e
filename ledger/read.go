package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// Read reads a result back and verifies it. dst keeps its buffers, so ID and Response are valid
// until its next Read. A line that was changed on disk is a *[DamageError].
func (l *Ledger) Read(ref Ref, dst *Result) error { return l.NewReader().Read(ref, dst) }

// ReadMatch is Read for a result that was found by its hashes: it compares the id and the request
// themselves. If the id differs, or request is not nil and differs, the error is ErrMismatch, and
// dst holds the other record's result.
func (l *Ledger) ReadMatch(ref Ref, id []byte, request *[32]byte, dst *Result) error {
	return l.NewReader().ReadMatch(ref, id, request, dst)
}

// Reader reads results back one after the other. If they are asked for in roughly the order of the
// file, as a resumed run does, it reads ahead. It is for one goroutine; others may commit
// meanwhile.
type Reader struct {
	ledger *Ledger
	own    disk.File // the ledger's
	end    int64     // where the index ended when it was last looked up
	file   disk.File // which was read last
	near   []byte    // what was read of it
	from   int64     // where in the file that begins
	size   int       // how much to read the next time
}

const (
	// firstRead is enough for most answers and cheap for all. A longer one takes another read or two.
	firstRead = 4 << 10
	// farRead is how much is read at once if results are asked for in sequence.
	farRead = line.ReadSize
	// behind is how much of what was read is kept for results that come slightly out of order.
	behind = 128 << 10
)

// NewReader returns a reader of the ledger's results.
func (l *Ledger) NewReader() *Reader { return &Reader{ledger: l} }

// Read is [Ledger.Read].
func (r *Reader) Read(ref Ref, dst *Result) error {
	path, file, at, end := r.place(ref)
	if at < 0 || at >= end {
		return fmt.Errorf("reading ledger %s: no result at byte %d", path, at)
	}
	if file != r.file {
		r.file, r.size = file, 0
	}
	text, err := r.lineAt(file, at, end)
	if err != nil {
		return fmt.Errorf("reading ledger %s at byte %d: %w", path, at, err)
	}
	if err = line.Verify(text); err != nil {
		budget := line.MaxSearch
		if n := line.SealedLen(text, &budget); n > 0 { // another ledger was appended to a line without its newline
			text, err = text[:n], nil
		}
	}
	if err == nil {
		err = dst.Decode(text)
	}
	if err != nil {
		return &DamageError{Path: path, Offset: at, Err: err}
	}
	dst.Keep()
	return nil
}

// place returns the file that ref is in, the offset there, and where that file ends.
func (r *Reader) place(ref Ref) (path string, file disk.File, at, end int64) {
	l := r.ledger
	if ref.Other() {
		o, at, end := l.others.place(ref)
		if o == nil {
			return l.path, nil, at, 0
		}
		return o.path, o.file, at, end
	}
	if at = ref.Offset(); at >= r.end {
		l.mu.Lock()
		r.own, r.end = l.file, l.end
		l.mu.Unlock()
	}
	return l.path, r.own, at, r.end
}

// ReadMatch is [Ledger.ReadMatch].
func (r *Reader) ReadMatch(ref Ref, id []byte, request *[32]byte, dst *Result) error {
	if err := r.Read(ref, dst); err != nil {
		return err
	}
	if !bytes.Equal(id, dst.ID) || request != nil && *request != dst.Request {
		return ErrMismatch
	}
	return nil
}

// ReadSame is Read for an answer that was found by its request's hash: if the request differs, the
// error is ErrMismatch.
func (r *Reader) ReadSame(ref Ref, request *[32]byte, dst *Result) error {
	if err := r.Read(ref, dst); err != nil {
		return err
	}
	if *request != dst.Request {
		return ErrMismatch
	}
	return nil
}

// lineAt returns the line that begins at offset at, which is before end. The line is valid until
// the next call.
func (r *Reader) lineAt(file io.ReaderAt, at, end int64) ([]byte, error) {
	if cap(r.near) > 8*farRead {
		r.size, r.near = 0, nil // a buffer for a line that long is not worth keeping
	}
	if r.size == 0 || at < r.from || at > r.from+int64(len(r.near))+farRead { // somewhere else
		r.size, r.from, r.near = firstRead, at, r.near[:0]
	}
	start := int(at - r.from)
	if start < len(r.near) {
		if i := bytes.IndexByte(r.near[start:], '\n'); i >= 0 {
			return r.near[start : start+i], nil
		}
	}
	if far := min(start-behind, len(r.near)); far > 0 {
		r.near = r.near[:copy(r.near, r.near[far:])]
		r.from, start = r.from+int64(far), start-far
	}
	for looked := max(start, len(r.near)); ; looked = len(r.near) {
		if err := r.extend(file, int(min(int64(looked+max(r.size, looked-start)), end-r.from))); err != nil {
			return nil, err
		}
		r.size = min(2*r.size, farRead)
		if i := bytes.IndexByte(r.near[looked:], '\n'); i >= 0 {
			return r.near[start : looked+i], nil
		}
		if r.from+int64(len(r.near)) == end {
			return nil, errors.New("line is incomplete")
		}
	}
}

// extend reads on until r.near has size bytes.
func (r *Reader) extend(file io.ReaderAt, size int) error {
	have := len(r.near)
	if cap(r.near) < size {
		r.near = append(make([]byte, 0, size), r.near...)
	}
	r.near = r.near[:size]
	if _, err := file.ReadAt(r.near[have:], r.from+int64(have)); err != nil {
		r.near = r.near[:have]
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}
