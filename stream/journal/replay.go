package journal

import (
	"errors"
	"runtime"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
)

// replayer is the stage between admission and commit for records with recorded results. It reads
// the results back while the reader goes on to the next records. It belongs to the goroutine that
// runs it.
type replayer struct {
	flow    *flow.Flow
	journal *Journal
	to      Routes
	results *ledger.Reader
	done    flow.Chain // read back, but not passed on yet
}

// Routes are where records go that turn out to have no result that serves.
type Routes struct {
	Ask   func(t *flow.Task)      // to be asked about at once
	Batch func(t *flow.Task) bool // into a batch; reports false if the record is to be asked at once
}

// Replay reads back the results of the records that come through recalls, until recalls is closed.
func (j *Journal) Replay(recalls <-chan flow.Chain, to Routes) {
	p := &replayer{flow: j.flow, journal: j, to: to, results: j.Ledger.NewReader()}
	for c := range recalls {
		for t := c.First; t != nil; {
			next := t.Unchain()
			p.recall(t)
			t = next
		}
		p.pass()
		runtime.Gosched() // if the results are in memory nothing here waits, and others' requests must go out
	}
}

// recall gives t its result, and adds t to those that are done.
func (p *replayer) recall(t *flow.Task) {
	err := p.journal.readResult(t, p.results)
	if errors.Is(err, errMisfit) && p.askAgain(t) {
		return
	}
	if errors.Is(err, ledger.ErrMismatch) {
		// Another record has the same hashes. Until now its result was taken for t's. t is asked at once,
		// without regard to --limit and batches. It will never happen.
		t.Outcome = flow.Unsent
		p.to.Ask(t)
		return
	}
	p.done.Push(t, int64(len(t.Recorded.Response)))
	if p.done.Full() {
		p.pass()
	}
}

// askAgain has t asked again, because its recorded answer does not fit, or has it wait for an equal
// record that is being asked. It returns false if an answer that fits was recorded meanwhile.
func (p *replayer) askAgain(t *flow.Task) bool {
	for {
		if p.to.Batch(t) {
			return true
		}
		joined, shard := p.flow.Inflight.BeginUnlessKept(t, p.flow.Gate)
		if joined {
			return true
		}
		if shard == "" {
			break
		}
		// An equal request has got into a shard since Batch looked.
	}
	newer := p.journal.Ledger.Look(t.Key)
	if max(newer.Result, p.journal.Ledger.Same(t.Key)) > t.Ref && !t.Ref.Other() {
		t.Shaped = nil
		if p.journal.Recall(t, newer) {
			t.Duplicate = true
			return false
		}
	}
	t.Duplicate = false
	p.to.Ask(t)
	return true
}

// pass hands the done records to the commit once there is room for them. Room comes from the commit
// of those that were passed before.
func (p *replayer) pass() {
	if c := p.done.Take(); c.First != nil {
		p.flow.Pass(c)
	}
}
