package stream

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"llmpipe/stream/record"
	"slices"
)

// sampled returns a source of records that reads the whole input at the first call, and gives the Sample records with the smallest hash
// of seed and id, in input order. The choice depends on nothing else: a larger sample holds every smaller one, whatever the order
// of the input.
func (r *reader) sampled() func() (*task, error) {
	var chosen []*task
	read := false
	return func() (*task, error) {
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

func (r *reader) choose() ([]*task, error) {
	var best sampleHeap
	for seq := int64(0); ; seq++ {
		t, err := r.nextRecord()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		t.seq = seq
		heap.Push(&best, candidate{r.rank(t), t})
		if best.Len() > r.cfg.Sample {
			out := heap.Pop(&best).(candidate).task
			out.closeSpill()
			out.recycle()
		}
	}
	slices.SortFunc(best, func(a, b candidate) int { return int(a.task.seq - b.task.seq) })
	tasks := make([]*task, len(best))
	for i, c := range best {
		tasks[i] = c.task
	}
	return tasks, nil
}

// rank is the number by which t is chosen.
func (r *reader) rank(t *task) uint64 {
	switch {
	case t.ID != nil:
		return rank(r.cfg.Seed, t.ID)
	case t.Content != [16]byte{}:
		return rank(r.cfg.Seed, record.GeneratedID(t.Content, 1))
	default:
		return rank(r.cfg.Seed, t.line)
	}
}

// rank is the number by which a record is chosen for a sample: the same for the same seed and id, wherever the record stands.
func rank(seed uint64, id []byte) uint64 {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), id...))
	return binary.BigEndian.Uint64(sum[:])
}

type candidate struct {
	rank uint64
	task *task
}

// sampleHeap implements heap.Interface, with the candidate to go next at its top.
type sampleHeap []candidate

func (h sampleHeap) Len() int           { return len(h) }
func (h sampleHeap) Less(i, j int) bool { return h[i].rank > h[j].rank }
func (h sampleHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *sampleHeap) Push(x any) { *h = append(*h, x.(candidate)) }

// Pop implements heap.Interface.
func (h *sampleHeap) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	*h = (*h)[:last]
	return c
}
