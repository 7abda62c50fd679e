package output

import (
	"testing"

	"pgregory.net/rapid"

	"llmpipe/stream/flow"
)

// However records finish, they come out in the order in which they were read, each once, as soon as
// all before them have.
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
			var group []*flow.Task
			for _, seq := range finished[:size] {
				group = append(group, &flow.Task{Seq: int64(seq)})
				arrived[int64(seq)] = true
			}
			finished = finished[size:]
			for _, k := range o.release(group) {
				if k.Seq != next {
					t.Fatalf("%d came when %d was due", k.Seq, next)
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
