package stream

import (
	"io"
	"llmpipe/ledger"
	"llmpipe/stream/record"
	"os"
	"time"
)

// Bounds of a group commit: so many records, or so long after the first of them. A sync costs the same for few records as for many, and
// with 64 requests in flight a slow disk is kept up with only by groups larger than that.
const (
	groupRecords = 256
	groupWait    = 10 * time.Millisecond
	groupLook    = time.Millisecond // between looks for more
)

// committer is the last stage: the one goroutine that writes. For each group of records it first records the answers in the ledger, then
// writes lines to stdout, then gives their room back.
type committer struct {
	flow    *Flow
	cfg     outputConfig
	account *account
	journal *journal // nil without a ledger
	emitter *emitter
	failed  *failedFile // nil without --failed
	order   *order      // nil without --ordered

	toldFailure bool // on stderr, of the first record that failed

	group []*Task
	ready []*Task
	timer *time.Timer
}

// outputConfig says where results go, and in what form.
type outputConfig struct {
	// Stdout gets the lines, in a Format, with the record beside its result where KeepInput says so. Raw input is text, not JSON.
	Stdout    io.Writer
	Format    record.Format
	KeepInput bool
	Raw       bool
	// Replay says whether recorded results are written again.
	Replay Replay
	// Ordered writes results in input order; Batches keeps them on disk until all are there, as the first may be the last to come.
	Ordered, Batches bool
	// Failed is the file that gets the failed records' own lines, nil for none. Inputs are the names of the files that are read.
	Failed *os.File
	Inputs []string
	// First is the name of the provider that is asked first, which results do not name.
	First string
	// Observe, if set, sees every record when its fate is known. It is called by one goroutine.
	Observe func(*Flow, *Task)
}

// newCommitter makes the last stage.
func newCommitter(f *Flow, cfg outputConfig, a *account, j *journal) (*committer, error) {
	c := &committer{flow: f, cfg: cfg, account: a, journal: j, failed: newFailedFile(cfg.Failed), emitter: newEmitter(f, cfg, j)}
	var err error
	switch {
	case cfg.Ordered && cfg.Batches:
		c.emitter.shelf, err = newShelf()
	case cfg.Ordered:
		c.order = newOrder()
	}
	return c, err
}

// commit commits records until the channel is closed, and then what is still to be written down.
func (c *committer) commit() {
	c.timer = time.NewTimer(groupWait)
	defer c.timer.Stop()
	for c.gather() {
		c.commitGroup()
	}
	c.close()
}

// gather collects the next group, and reports false when there will be none.
//
// While more is on its way it waits: where the disk is waited for, since a sync costs the same for one record as for many, and else for
// one look, since to be woken for each costs more than the rest of its work, and so does a write of each.
func (c *committer) gather() bool {
	most := groupLook
	if c.journal != nil && c.journal.syncs {
		most = groupWait
	}
	c.group = c.group[:0]
	t, ok := <-c.flow.commits
	if !ok {
		return false
	}
	c.take(t)
	for waited := time.Duration(0); c.collect() && waited < most; waited += groupLook {
		c.timer.Reset(groupLook)
		select {
		case <-c.timer.C:
		case <-c.flow.stop.immediate:
			return true
		}
	}
	return true
}

// collect adds to the group what has come by now, and reports whether it should wait for more.
func (c *committer) collect() bool {
	for len(c.group) < groupRecords {
		select {
		case t, ok := <-c.flow.commits:
			if !ok {
				return false
			}
			c.take(t)
			continue
		default:
		}
		return c.flow.gate.waiting() > 0
	}
	return false
}

// take adds t and what is chained to it to the group.
func (c *committer) take(t *Task) {
	for t != nil {
		next := t.unchain()
		c.group = append(c.group, t)
		t = next
	}
}

// commitGroup takes the group through ledger, stdout and --failed.
func (c *committer) commitGroup() {
	if c.journal != nil {
		spent, err := c.journal.commit(c.group, c.emitter.takeMarks())
		if err != nil {
			c.flow.stop.failSoon(err)
		} else {
			c.account.committed(spent)
		}
	}
	c.settleTwins()
	c.ready = c.group
	if c.order != nil {
		c.ready = c.order.release(c.group)
	}
	for _, t := range c.ready {
		if t.gone {
			continue
		}
		c.count(t)
		if c.cfg.Observe != nil {
			c.cfg.Observe(c.flow, t)
		}
		c.emitter.add(t)
		if t.Outcome != Failed {
			continue
		}
		c.tellFailure(t)
		if c.failed != nil {
			if err := c.failed.add(t); err != nil {
				c.flow.stop.fail(err)
			}
		}
	}
	if err := c.emitter.flush(); err != nil {
		c.flow.stop.fail(err)
	}
	if c.failed != nil {
		if err := c.failed.flush(); err != nil {
			c.flow.stop.fail(err)
		}
	}
	c.flow.leave(c.ready)
}

// settleTwins gives the answers of the group to the records that waited for the same ones.
func (c *committer) settleTwins() {
	for _, t := range c.group {
		for _, twin := range c.flow.underway.end(t) {
			twin.share(t)
			c.group = append(c.group, twin)
		}
	}
}

// share makes t's fate that of first, which has the same id and request.
func (t *Task) share(first *Task) {
	t.Outcome, t.Err, t.Attempts = first.Outcome, first.Err, first.Attempts
	t.twin = true
	if first.Outcome != Answered {
		return
	}
	t.Reply.Body = append(t.Reply.Body[:0], first.Reply.Body...)
	t.Reply.Latency = first.Reply.Latency
	t.host, t.CostKnown, t.downgradedFrom = first.host, first.CostKnown, first.downgradedFrom // it cost once
	t.Reply.Answer, _ = record.RecallAnswer(t.Endpoint, t.Reply.Body)
}

// count counts t once, by what became of it.
func (c *committer) count(t *Task) {
	switch t.Outcome {
	case Unsent:
		c.flow.counts.unsent.Add(1)
		return
	case Failed:
		c.flow.counts.failed.Add(1)
		c.flow.counts.cost.Add(t.Cost)
		return
	case Recalled:
		if !t.twin || !t.recent { // else its twin was asked about in this run
			c.flow.counts.skipped.Add(1)
		}
	case Answered:
		if !t.twin {
			c.flow.counts.answered(t)
		}
	}
	c.flow.counts.ok.Add(1)
	if t.Reply.Answer.Flag() != "" {
		c.flow.counts.flagged.Add(1)
	}
}

// close writes down what is not yet, and closes the files.
func (c *committer) close() {
	err := c.emitter.pour(func(marks []ledger.Key) error {
		_, err := c.journal.commit(nil, marks) // marks cost nothing
		return err
	})
	if err != nil {
		c.flow.stop.fail(err)
	}
	if c.journal != nil {
		if err := c.journal.close(c.emitter.takeMarks()); err != nil {
			c.flow.stop.fail(err)
		}
	}
	if c.failed != nil {
		if err := c.failed.close(); err != nil {
			c.flow.stop.fail(err)
		}
	}
}
