package flow

// Chain is a list of tasks that move on together. To wake the next stage, or to look for room, for
// each single task would cost as much as the work on it.
type Chain struct {
	First, last *Task
	n           int
	bytes       int64 // to be counted in before the chain goes on
}

const (
	chainTasks = 64
	chainBytes = 256 << 10
)

// Unchain takes t out of its chain, and returns the task behind it.
func (t *Task) Unchain() (next *Task) {
	next, t.next = t.next, nil
	return next
}

// Push puts t at the end of the chain. bytes is what t adds to the bytes to be counted in.
func (c *Chain) Push(t *Task, bytes int64) {
	if c.First == nil {
		c.First = t
	} else {
		c.last.next = t
	}
	c.last = t
	c.n++
	c.bytes += bytes
}

// Full reports whether the chain is long enough to go on.
func (c *Chain) Full() bool { return c.n >= chainTasks || c.bytes >= chainBytes }

// Take returns the chain, and empties it.
func (c *Chain) Take() Chain {
	taken := *c
	*c = Chain{}
	return taken
}
