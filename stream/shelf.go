package stream

import (
	"bufio"
	"encoding/binary"
	"io"

	"llmpipe/ledger"
)

// shelf keeps the lines of the output on disk until the last is there, for --ordered where batches are involved: the first record may be
// the last to be answered, a day later, and neither reading nor memory can wait for it.
type shelf struct {
	lines  *temporary
	w      *bufio.Writer
	end    int64      // of lines
	places *temporary // where each record's line is, by its place in the input
	count  int64      // places
	entry  [placeSize]byte
}

// placeSize is what a record takes in places: offset, length and mark, key.
const placeSize = 4 * 8

func newShelf() (*shelf, error) {
	lines, err := newTemporary("llmpipe-output-")
	if err != nil {
		return nil, err
	}
	places, err := newTemporary("llmpipe-order-")
	if err != nil {
		lines.discard()
		return nil, err
	}
	return &shelf{lines: lines, w: bufio.NewWriterSize(lines, 64<<10), places: places}, nil
}

// put keeps the line of the record at place seq. mark says that the ledger is to remember that it was written.
func (s *shelf) put(seq int64, key ledger.Key, mark bool, line []byte) error {
	if _, err := s.w.Write(line); err != nil {
		return temporaryError(err)
	}
	length := uint64(len(line)) << 1
	if mark {
		length |= 1
	}
	binary.LittleEndian.PutUint64(s.entry[0:], uint64(s.end))
	binary.LittleEndian.PutUint64(s.entry[8:], length)
	binary.LittleEndian.PutUint64(s.entry[16:], key.ID)
	binary.LittleEndian.PutUint64(s.entry[24:], key.Request)
	if _, err := s.places.WriteAt(s.entry[:], seq*placeSize); err != nil {
		return temporaryError(err)
	}
	s.end += int64(len(line))
	s.count = max(s.count, seq+1)
	return nil
}

// pour calls f with every line, in the order of the input. The line is good during the call.
func (s *shelf) pour(f func(key ledger.Key, mark bool, line []byte) error) error {
	if err := s.w.Flush(); err != nil {
		return temporaryError(err)
	}
	places := bufio.NewReaderSize(io.NewSectionReader(s.places, 0, s.count*placeSize), 64<<10)
	var line []byte
	for range s.count {
		if _, err := io.ReadFull(places, s.entry[:]); err != nil {
			return temporaryError(err)
		}
		length := binary.LittleEndian.Uint64(s.entry[8:])
		n := int(length >> 1)
		if n == 0 {
			continue // it has no line
		}
		if cap(line) < n {
			line = make([]byte, n)
		}
		if _, err := s.lines.ReadAt(line[:n], int64(binary.LittleEndian.Uint64(s.entry[0:]))); err != nil {
			return temporaryError(err)
		}
		key := ledger.Key{ID: binary.LittleEndian.Uint64(s.entry[16:]), Request: binary.LittleEndian.Uint64(s.entry[24:])}
		if err := f(key, length&1 != 0, line[:n]); err != nil {
			return err
		}
	}
	return nil
}

// discard gives the disk back.
func (s *shelf) discard() {
	s.lines.discard()
	s.places.discard()
}
