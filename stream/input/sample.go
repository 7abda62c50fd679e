package input

import (
	"cmp"
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// Rank is a record's number in the draw of a sample, which takes the smallest. It depends on the
// seed and the id alone, so a larger sample holds every smaller one, whatever the order of the
// input.
func Rank(seed uint64, id []byte) uint64 {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), id...))
	return binary.BigEndian.Uint64(sum[:])
}

// RankOf is t's rank, by its name.
func RankOf(t *flow.Task, seed uint64) uint64 { return Rank(seed, nameOf(t)) }

// nameOf is what t is chosen by: its id, else its content, which its members' order does not
// change, and of a line that is no record its bytes.
func nameOf(t *flow.Task) []byte {
	switch {
	case t.ID != nil:
		return t.ID
	case t.Content != [16]byte{}:
		return record.GeneratedID(t.Content, 1)
	default:
		return t.Buffer
	}
}

// Sampler keeps the values with the n smallest ranks, and no more than n at a time.
type Sampler[T any] struct {
	N    int
	seen int
	best candidates[T]
}

// Wants reports whether a value of that rank would be kept.
func (s *Sampler[T]) Wants(rank uint64) bool {
	return len(s.best) < s.N || s.N > 0 && rank < s.best[0].rank
}

// Offer keeps a value if its rank is among the smallest so far. It returns the value that is out,
// this one or the one that had to go; any is false when none is.
func (s *Sampler[T]) Offer(rank uint64, value T) (out T, any bool) {
	s.seen++
	if !s.Wants(rank) {
		return value, true
	}
	heap.Push(&s.best, candidate[T]{rank, s.seen, value})
	if len(s.best) > s.N {
		return heap.Pop(&s.best).(candidate[T]).value, true
	}
	return out, false
}

// Chosen are the values kept, in the order in which they were offered.
func (s *Sampler[T]) Chosen() []T {
	slices.SortFunc(s.best, func(a, b candidate[T]) int { return cmp.Compare(a.place, b.place) })
	values := make([]T, len(s.best))
	for i := range s.best {
		values[i] = s.best[i].value
	}
	return values
}

type candidate[T any] struct {
	rank  uint64
	place int
	value T
}

// candidates implements heap.Interface, with the one to go next at its top.
type candidates[T any] []candidate[T]

func (h candidates[T]) Len() int           { return len(h) }
func (h candidates[T]) Less(i, j int) bool { return h[i].rank > h[j].rank }
func (h candidates[T]) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *candidates[T]) Push(x any) { *h = append(*h, x.(candidate[T])) }

// Pop implements heap.Interface.
func (h *candidates[T]) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	*h = (*h)[:last]
	return c
}

// sampled returns a source of records that reads the whole input at the first call, and gives the
// sample's records, in input order.
func (r *Input) sampled() func() (*flow.Task, error) {
	var chosen []*flow.Task
	read := false
	return func() (*flow.Task, error) {
		if !read {
			read = true
			var err error
			if chosen, err = r.choose(); err != nil {
				return nil, err
			}
		}
		if len(chosen) == 0 {
			return nil, io.EOF
		}
		t := chosen[0]
		chosen = chosen[1:]
		return t, nil
	}
}

func (r *Input) choose() ([]*flow.Task, error) {
	s := Sampler[*flow.Task]{N: r.cfg.Sample}
	for {
		t, err := r.nextRecord()
		if errors.Is(err, io.EOF) {
			return s.Chosen(), nil
		}
		if err != nil {
			return nil, err
		}
		if out, any := s.Offer(RankOf(t, r.cfg.Seed), t); any {
			out.CloseSpill()
			out.Recycle()
		}
	}
}
