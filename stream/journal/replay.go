package journal

import (
	"errors"
	"runtime"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
)

// replayer is the stage between admission and commit of records whose results are recorded: it
// reads those back, while the reader goes on to the next records. It belongs to the goroutine that
// runs it.
type replayer struct {
	flow    *flow.Flow
	journal *Journal
	to      Routes
	results *ledger.Reader
	done    flow.Chain // read back, and yet to be passed on
}

// Routes are where records go that turn out to have no result.
type Routes struct {
	Ask   func(t *flow.Task)      // to be asked about at once
	Batch func(t *flow.Task) bool // into a batch; reports false for a record that is to be asked at once
}

// Replay reads the results of the chains back that come through recalls, until it is closed.
func (j *Journal) Replay(recalls <-chan flow.Chain, to Routes) {
	p := &replayer{flow: j.flow, journal: j, to: to, results: j.Ledger.NewReader()}
	for c := range recalls {
		for t := c.First; t != nil; {
			next := t.Unchain()
			p.recall(t)
			t = next
		}
		p.pass()
		runtime.Gosched() // with results near in memory nothing here waits, and the requests of others are to go out
	}
}

// recall gives t its result, and puts it behind those that are done.
func (p *replayer) recall(t *flow.Task) {
	err := p.journal.readResult(t, p.results)
	if errors.Is(err, errMisfit) && p.askAgain(t) {
		return
	}
	if errors.Is(err, ledger.ErrMismatch) {
		// Another record has the same hashes: it was taken for t until now, and t is asked, past --limit
		// and batches. It will never happen.
		t.Outcome = flow.Unsent
		p.to.Ask(t)
		return
	}
	p.done.Push(t, int64(len(t.Recorded.Response)))
	if p.done.Full() {
		p.pass()
	}
}

// askAgain has t asked about, whose recorded answer does not fit, or has it wait for another like
// it. It reports false where an answer that fits was recorded meanwhile.
func (p *replayer) askAgain(t *flow.Task) bool {
	if p.to.Batch(t) {
		return true
	}
	if p.flow.Inflight.Begin(t) {
		return true
	}
	newer := p.journal.Ledger.Look(t.Key)
	if max(newer.Result, p.journal.Ledger.Same(t.Key)) > t.Ref && !t.Ref.Other() {
		t.Shaped = nil
		if p.journal.Recall(t, newer) {
			t.Duplicate = true
			for _, like := range p.flow.Inflight.End(t) {
				like.Duplicate = p.journal.Recall(like, p.journal.Ledger.Look(like.Key))
				p.flow.Finish(like)
			}
			return false
		}
	}
	t.Duplicate = false
	p.to.Ask(t)
	return true
}

// pass hands to the commit what is done, once there is room for it: what takes that was passed
// before.
func (p *replayer) pass() {
	if c := p.done.Take(); c.First != nil {
		p.flow.Pass(c)
	}
}
