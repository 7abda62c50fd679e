package lines

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"llmpipe/stream/record/rawjson"
)

// readSize is the reader's buffer. Lines that fit in it are copied once.
const readSize = 256 << 10

// Reader reads lines from a stream that is plain, gzip or zstd. It reads no further than it must: a
// line is handed out as soon as its newline is there, through a decompressor too, if the producer
// flushes. It is for one goroutine.
type Reader struct {
	// Spill, if set, returns a writer for a line that is over the maximum. The writer gets the whole
	// line, without its newline. If Spill is nil, the bytes of such a line are dropped.
	Spill func() (io.Writer, error)

	src     io.Reader
	maxLine int
	lines   *bufio.Reader // nil until the first call
	number  int64         // lines read so far
	err     error         // what ended the stream
}

// New returns a reader of src's lines, of at most maxLine bytes each. It does not read yet.
func New(src io.Reader, maxLine int) *Reader {
	return &Reader{src: src, maxLine: maxLine}
}

// Buffered returns how many bytes, decompressed, were read beyond the lines handed out.
func (r *Reader) Buffered() int {
	if r.lines == nil {
		return 0
	}
	return r.lines.Buffered()
}

// Line is a line of input.
type Line struct {
	Number  int64     // in the stream, from 1, blank lines counted
	Bytes   []byte    // without the newline; a carriage return before it stays. nil when the line is over the maximum
	TooLong int64     // the size in bytes of a line that is over the maximum, else 0
	Spilled io.Writer // the writer that Spill returned for the line
}

// Next returns the next line that is not blank, in dst's memory or, if that is too small, in new
// memory.
//
// At the end of the stream it returns io.EOF; a last line needs no newline. If the stream breaks (a
// read fails, a compressed stream is cut or damaged), it first returns the whole lines before the
// break, and then an error that says after which line the break is. It does not return the cut
// line. Every further call returns the same error.
func (r *Reader) Next(dst []byte) (Line, error) {
	for r.err == nil {
		line, err := r.next(dst[:0])
		if err != nil {
			r.err = err
			break
		}
		if line.TooLong > 0 || rawjson.SkipSpace(line.Bytes, 0) < len(line.Bytes) {
			return line, nil
		}
		dst = line.Bytes // it may have grown
	}
	return Line{}, r.err
}

// next reads a line, blank or not.
func (r *Reader) next(dst []byte) (Line, error) {
	if r.lines == nil {
		lines, err := Open(r.src)
		if err != nil {
			return Line{}, r.broken(err)
		}
		r.lines = lines
	}
	for {
		part, err := r.lines.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return Line{}, r.broken(err)
		}
		if err == io.EOF && len(dst)+len(part) == 0 {
			return Line{}, io.EOF
		}
		if err == nil {
			part = part[:len(part)-1]
		}
		if len(dst)+len(part) > r.maxLine {
			return r.overlong(dst, part, err)
		}
		dst = append(dst, part...)
		if err != bufio.ErrBufferFull {
			r.number++
			return Line{Number: r.number, Bytes: dst}, nil
		}
	}
}

// overlong reads the rest of a line that is over the maximum. head and part are the bytes already
// read, and err came with part.
func (r *Reader) overlong(head, part []byte, err error) (Line, error) {
	line := Line{Number: r.number + 1, TooLong: int64(len(head) + len(part))}
	if r.Spill != nil {
		var spillErr error
		if line.Spilled, spillErr = r.Spill(); spillErr != nil {
			return Line{}, fmt.Errorf("setting line %d aside: %w", line.Number, spillErr)
		}
	}
	for _, b := range [][]byte{head, part} {
		if spillErr := line.spill(b); spillErr != nil {
			return Line{}, spillErr
		}
	}
	for err == bufio.ErrBufferFull {
		part, err = r.lines.ReadSlice('\n')
		if err == nil {
			part = part[:len(part)-1]
		}
		line.TooLong += int64(len(part))
		if spillErr := line.spill(part); spillErr != nil {
			return Line{}, spillErr
		}
	}
	if err != nil && err != io.EOF {
		return Line{}, r.broken(err)
	}
	r.number++
	return line, nil
}

// spill writes a part of the line to where it is set aside, if anywhere.
func (l *Line) spill(part []byte) error {
	if l.Spilled == nil || len(part) == 0 {
		return nil
	}
	if _, err := l.Spilled.Write(part); err != nil {
		return fmt.Errorf("setting line %d aside: %w", l.Number, err)
	}
	return nil
}

// broken says where the stream broke.
func (r *Reader) broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // an unexpected end must not pass for the end of the stream
		err = fmt.Errorf("the compressed stream is cut short: %w", io.ErrUnexpectedEOF)
	}
	if r.number == 0 {
		return fmt.Errorf("before the end of line 1: %w", err)
	}
	return fmt.Errorf("after line %d: %w", r.number, err)
}
