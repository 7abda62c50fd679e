package output

import (
	"bufio"
	"encoding/binary"
	"io"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
)

// orderedFile keeps the lines of the output on disk until the last is there, for --ordered with
// batches: the first record may be answered last, a day later, and neither reading nor memory can
// wait for it.
type orderedFile struct {
	lines  *flow.Temporary
	w      *bufio.Writer
	end    int64           // length of lines
	places *flow.Temporary // where each record's line is, by its place in the input
	count  int64           // places
	entry  [placeSize]byte
}

// placeSize is how many bytes a record takes in places: offset, length and mark, key.
const placeSize = 4 * 8

func newOrderedFile() (*orderedFile, error) {
	lines, err := flow.NewTemporary("llmpipe-output-")
	if err != nil {
		return nil, err
	}
	places, err := flow.NewTemporary("llmpipe-order-")
	if err != nil {
		lines.Discard()
		return nil, err
	}
	return &orderedFile{lines: lines, w: bufio.NewWriterSize(lines, 64<<10), places: places}, nil
}

// put keeps the line of the record at place seq. mark says that the ledger is told when the line is
// written.
func (s *orderedFile) put(seq int64, key ledger.Key, mark bool, line []byte) error {
	if _, err := s.w.Write(line); err != nil {
		return flow.TemporaryError(err)
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
		return flow.TemporaryError(err)
	}
	s.end += int64(len(line))
	s.count = max(s.count, seq+1)
	return nil
}

// pour calls f with every line, in input order. The line is valid during the call only.
func (s *orderedFile) pour(f func(key ledger.Key, mark bool, line []byte) error) error {
	if err := s.w.Flush(); err != nil {
		return flow.TemporaryError(err)
	}
	places := bufio.NewReaderSize(io.NewSectionReader(s.places, 0, s.count*placeSize), 64<<10)
	var line []byte
	for range s.count {
		if _, err := io.ReadFull(places, s.entry[:]); err != nil {
			return flow.TemporaryError(err)
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
			return flow.TemporaryError(err)
		}
		key := ledger.Key{ID: binary.LittleEndian.Uint64(s.entry[16:]), Request: binary.LittleEndian.Uint64(s.entry[24:])}
		if err := f(key, length&1 != 0, line[:n]); err != nil {
			return err
		}
	}
	return nil
}

// discard frees the disk space.
func (s *orderedFile) discard() {
	s.lines.Discard()
	s.places.Discard()
}
