package stream

import (
	"testing"

	"pgregory.net/rapid"
)

// However records finish, they come out in the order in which they were read, each once, as soon as all before them have.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "records")
		seqs := make([]int, n)
		for i := range seqs {
			seqs[i] = i
		}
		finished := rapid.Permutation(seqs).Draw(t, "finished")
		o := newOrder()
		arrived := map[int64]bool{}
		next := int64(0)
		for len(finished) > 0 {
			size := rapid.IntRange(1, len(finished)).Draw(t, "group")
			var group []*Task
			for _, seq := range finished[:size] {
				group = append(group, &Task{seq: int64(seq)})
				arrived[int64(seq)] = true
			}
			finished = finished[size:]
			for _, k := range o.release(group) {
				if k.seq != next {
					t.Fatalf("%d came when %d was due", k.seq, next)
				}
				next++
			}
			if arrived[next] {
				t.Fatalf("%d was held back", next)
			}
		}
		if next != int64(n) || len(o.early) != 0 {
			t.Fatalf("%d of %d came out", next, n)
		}
	})
}
