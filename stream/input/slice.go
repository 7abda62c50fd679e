package input

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"llmpipe/stream/flow"
)

// Slice is one of several equal parts of an input, for as many processes, each of which reads all
// of it. Which part a record is in depends on its id alone, so the order of the input does not
// matter, and records that are alike are in the same one. The zero value is the whole input.
type Slice struct {
	Part int // from 0
	Of   int // how many parts there are; 0 for the whole input
}

// UnmarshalText implements encoding.TextUnmarshaler. A slice is written as in 0/4.
func (s *Slice) UnmarshalText(text []byte) error {
	part, of, _ := strings.Cut(string(text), "/")
	i, err := strconv.Atoi(part)
	n, errOf := strconv.Atoi(of)
	switch {
	case err != nil || errOf != nil || i < 0 || n < 1:
		return fmt.Errorf("%q is not of the form I/N, as in 0/4", text)
	case i >= n:
		return fmt.Errorf("there is no slice %d of %d: slices are counted from 0, so the last is %d/%d", i, n, n-1, n)
	}
	*s = Slice{i, n}
	return nil
}

// Holds reports whether t is in the slice.
func (s Slice) Holds(t *flow.Task) bool {
	if s.Of < 2 {
		return true
	}
	// Another hash than a sample's: the records with the smallest ranks would not be spread evenly
	// else.
	sum := sha256.Sum256(append([]byte("slice "), nameOf(t)...))
	return binary.BigEndian.Uint64(sum[:])%uint64(s.Of) == uint64(s.Part)
}

// sliced returns a source of the records of next that are in the slice.
func (s Slice) sliced(next func() (*flow.Task, error)) func() (*flow.Task, error) {
	return func() (*flow.Task, error) {
		for {
			t, err := next()
			if err != nil || s.Holds(t) {
				return t, err
			}
			t.CloseSpill()
			t.Recycle()
		}
	}
}
