package stream

// chain is tasks that go on together: to wake the next stage for each, or to look for its room, would cost as much as its work.
type chain struct {
	first, last *Task
	n           int
	bytes       int64 // that they hold of what is to be counted in before they go on
}

const (
	chainTasks = 64
	chainBytes = 256 << 10
)

// unchain takes t out of its chain, and returns the one behind it.
func (t *Task) unchain() (next *Task) {
	next, t.next = t.next, nil
	return next
}

func (c *chain) push(t *Task, bytes int64) {
	if c.first == nil {
		c.first = t
	} else {
		c.last.next = t
	}
	c.last = t
	c.n++
	c.bytes += bytes
}

// full reports whether no more are to be waited for.
func (c *chain) full() bool { return c.n >= chainTasks || c.bytes >= chainBytes }

// take returns the chain, and empties it.
func (c *chain) take() chain {
	taken := *c
	*c = chain{}
	return taken
}
