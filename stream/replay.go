package stream

import (
	"errors"
	"runtime"

	"llmpipe/ledger"
)

// replayer is the stage between admission and commit of records whose results are recorded: it reads those back, while the reader goes on
// to the next records. It belongs to the goroutine that runs it.
type replayer struct {
	*run
	journal *journal
	results *ledger.Reader
}

// replay reads results back until no more are recalled.
func (r *run) replay(j *journal) {
	p := &replayer{run: r, journal: j, results: j.NewReader()}
	for first := range p.recalls {
		done := chain{}
		for t := first; t != nil; {
			next := t.unchain()
			p.recall(t, &done)
			t = next
		}
		p.pass(&done)
		runtime.Gosched() // with results near in memory nothing here waits, and the requests of others are to go out
	}
}

// recall gives t its result, and puts it behind those that are done.
func (p *replayer) recall(t *task, done *chain) {
	err := p.journal.readResult(t, p.results.ReadMatch)
	if errors.Is(err, ledger.ErrMismatch) {
		// Another record has the same hashes: it was taken for t until now, and t is asked, past --limit and batches. It will never happen.
		t.outcome, t.ask = unsent, true
		p.gate.ask()
		p.again(t)
		return
	}
	t.loaded = int64(len(t.recorded.Response))
	if !p.gate.tryLoad(t.loaded) {
		p.pass(done) // what waits here for room may be what takes it
		p.gate.load(t.loaded)
	}
	done.push(t)
}

// pass hands to the commit what is done.
func (p *replayer) pass(done *chain) {
	if first := done.take(); first != nil {
		p.commits <- first
	}
}

// chain is tasks that go on together.
type chain struct {
	first, last *task
	n           int
}

// unchain takes t out of its chain, and returns the one behind it.
func (t *task) unchain() (next *task) {
	next, t.next = t.next, nil
	return next
}

func (c *chain) push(t *task) {
	if c.first == nil {
		c.first = t
	} else {
		c.last.next = t
	}
	c.last = t
	c.n++
}

// take empties the chain and returns what was its first task, nil if there was none.
func (c *chain) take() *task {
	first := c.first
	*c = chain{}
	return first
}
