package stream

// order gives records back in the order in which they were read. How many it may hold is the gate's affair.
type order struct {
	next  int64 // the place of the record that is due
	early map[int64]*Task
	due   []*Task
}

func newOrder() *order { return &order{early: make(map[int64]*Task)} }

// release takes finished records and returns those whose turn has come. The slice is valid until the next call.
func (o *order) release(group []*Task) []*Task {
	for _, t := range group {
		o.early[t.seq] = t
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
