package output

import "llmpipe/stream/flow"

// order gives records back in the order in which they were read. The gate bounds how many it holds.
type order struct {
	next  int64 // the place of the record that is due
	early map[int64]*flow.Task
	due   []*flow.Task
}

func newOrder() *order { return &order{early: make(map[int64]*flow.Task)} }

// release takes finished records and returns those whose turn has come. The slice is valid until
// the next call.
func (o *order) release(group []*flow.Task) []*flow.Task {
	for _, t := range group {
		o.early[t.Seq] = t
		if t.Seq != o.next {
			t.Reply.StepBack()
		}
	}
	o.due = o.due[:0]
	for {
		t, ok := o.early[o.next]
		if !ok {
			return o.due
		}
		delete(o.early, o.next)
		o.due = append(o.due, t)
		o.next++
	}
}
