package provider

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// A small body is read into the memory that a reply keeps from one attempt to the next. The rest of
// a larger body is read into reusable blocks, which are joined once the body is complete. So a body
// takes little more memory than what has arrived, and one that never ends leaves nothing behind.
const (
	smallBody = 64 << 10
	blockSize = 256 << 10
)

var blocks = sync.Pool{New: func() any { return new([blockSize]byte) }}

// errTooLarge says that a response exceeded MaxResponse.
var errTooLarge = fmt.Errorf("response is larger than %d MiB", MaxResponse>>20)

// room is where a body takes its memory from while it is read. The zero room has no bound.
type room struct {
	memory  *Memory
	holding *holding  // what the body holds of memory
	attempt *deadline // its clock is paused while the body waits
}

// take waits until there is room for that many more bytes.
func (r room) take(bytes int64) error {
	if r.memory == nil || r.memory.try(r.holding, bytes) {
		return nil
	}
	resume := r.attempt.pause()
	defer resume()
	return r.memory.take(r.attempt, r.holding, bytes)
}

// readBounded reads all of r, up to MaxResponse. A small body goes into dst. size is the announced
// length, negative if none was announced.
func readBounded(dst []byte, r io.Reader, size int64, from room) ([]byte, error) {
	if size > MaxResponse {
		return dst[:0], errTooLarge
	}
	// With one byte more than announced, the read that finds the end needs no growth.
	dst = slices.Grow(dst[:0], int(min(max(size, 511)+1, smallBody)))
	for {
		if len(dst) == cap(dst) {
			if len(dst) >= smallBody {
				return readLarge(dst, r, from)
			}
			dst = slices.Grow(dst, len(dst))
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err != nil {
			return dst, unlessEnd(err)
		}
	}
}

// readLarge reads the rest of a body that begins with start.
func readLarge(start []byte, r io.Reader, from room) (body []byte, err error) {
	rest := make([]*[blockSize]byte, 0, 16)
	defer func() {
		for _, b := range rest {
			blocks.Put(b)
		}
	}()
	if err := from.take(int64(cap(start))); err != nil {
		return start[:0], err
	}
	size := len(start)
	for end := false; !end; {
		if err := from.take(blockSize); err != nil {
			return start[:0], err
		}
		block := blocks.Get().(*[blockSize]byte)
		rest = append(rest, block)
		n, err := fill(block[:], r)
		size, end = size+n, err != nil
		if err = unlessEnd(err); err == nil && size > MaxResponse {
			err = errTooLarge
		}
		if err != nil {
			return start[:0], err
		}
	}
	if from.memory != nil {
		from.memory.joining.Lock()
		defer from.memory.joining.Unlock()
	}
	body = append(make([]byte, 0, size), start...)
	for _, b := range rest {
		body = append(body, b[:min(blockSize, size-len(body))]...)
	}
	return body, nil
}

// fill reads until dst is full or r returns an error, which may be io.EOF.
func fill(dst []byte, r io.Reader) (n int, err error) {
	for n < len(dst) && err == nil {
		var more int
		more, err = r.Read(dst[n:])
		n += more
	}
	return n, err
}

// unlessEnd returns err, or nil if err is io.EOF.
func unlessEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
