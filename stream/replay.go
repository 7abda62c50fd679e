package stream

import (
	"errors"
	"runtime"

	"llmpipe/ledger"
)

// replayer is the stage between admission and commit of records whose results are recorded: it reads those back, while the reader goes on
// to the next records. It belongs to the goroutine that runs it.
type replayer struct {
	flow    *Flow
	journal *journal
	again   func(t *Task) // has a record asked about
	results *ledger.Reader
	done    chain // read back, and yet to be passed on
}

// replay reads the results of the chains back that come through recalls, until it is closed. A record that turns out to have none goes to
// again.
func (j *journal) replay(recalls <-chan chain, again func(t *Task)) {
	p := &replayer{flow: j.flow, journal: j, again: again, results: j.ledger.NewReader()}
	for c := range recalls {
		for t := c.first; t != nil; {
			next := t.unchain()
			p.recall(t)
			t = next
		}
		p.pass()
		runtime.Gosched() // with results near in memory nothing here waits, and the requests of others are to go out
	}
}

// recall gives t its result, and puts it behind those that are done.
func (p *replayer) recall(t *Task) {
	err := p.journal.readResult(t, p.results.ReadMatch)
	if errors.Is(err, ledger.ErrMismatch) {
		// Another record has the same hashes: it was taken for t until now, and t is asked, past --limit and batches. It will never happen.
		t.Outcome = Unsent
		p.flow.gate.ask(t)
		p.again(t)
		return
	}
	p.done.push(t, int64(len(t.Recorded.Response)))
	if p.done.full() {
		p.pass()
	}
}

// pass hands to the commit what is done, once there is room for it: what takes that was passed before.
func (p *replayer) pass() {
	if c := p.done.take(); c.first != nil {
		p.flow.pass(c)
	}
}

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
