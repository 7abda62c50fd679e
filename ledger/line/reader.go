package line

import (
	"bytes"
	"io"
)

// ReadSize is large enough to make reads cheap, and small enough that the lines are still in the
// processor's cache when they are used.
const ReadSize = 256 << 10

// Reader reads whole lines and reports the offset of each.
type Reader struct {
	src    io.Reader
	buf    []byte // start to end is read and not yet handed out
	start  int
	end    int
	offset int64 // of buf[start] in the file
	err    error // what the source ended with
	limit  int   // of the length of a line, in bytes
}

// NewReader reads a source of about size bytes, which begins at an offset of the file.
func NewReader(src io.Reader, offset, size int64) *Reader {
	return &Reader{src: src, buf: make([]byte, min(size+1, ReadSize)), offset: offset, limit: MaxLen}
}

// Section reads the lines between two offsets of a file.
func Section(file io.ReaderAt, from, to int64) *Reader {
	return NewReader(io.NewSectionReader(file, from, to-from), from, to-from)
}

// Next returns the next line without its newline, and its offset. The line is valid until the next
// call. After the last whole line it returns the source's error, which is io.EOF at the end.
func (r *Reader) Next() ([]byte, int64, error) {
	looked := r.start
	for {
		if i := bytes.IndexByte(r.buf[looked:r.end], '\n'); i >= 0 {
			line, at := r.buf[r.start:looked+i], r.offset
			r.start = looked + i + 1
			r.offset += int64(len(line)) + 1
			return line, at, nil
		}
		if r.end-r.start > r.limit {
			return nil, r.offset, ErrTooLong
		}
		if r.err != nil {
			return nil, r.offset, r.err
		}
		looked = r.fill()
	}
}

// Tail returns what is left after the last whole line.
func (r *Reader) Tail() []byte { return r.buf[r.start:r.end] }

// fill reads more, and returns the position of the new bytes in the buffer.
func (r *Reader) fill() int {
	kept := copy(r.buf, r.buf[r.start:r.end])
	r.start, r.end = 0, kept
	if kept == len(r.buf) {
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	n, err := r.src.Read(r.buf[kept:])
	r.end += n
	r.err = err
	return kept
}
