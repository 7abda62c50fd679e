package output

import (
	"bytes"
	"io"
	"os"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
	"llmpipe/stream/record"
	"llmpipe/stream/spend"
)

// Bounds of a group commit: its records, their bytes, and the time after the first of them. A sync
// costs the same for few records as for many, so with 64 requests in flight only large groups keep
// up with a slow disk. A sync of many bytes takes longer anyway, and meanwhile they are in memory
// twice, so a group ends with the record that reaches groupBytes.
const (
	GroupRecords = 256
	groupBytes   = 4 << 20
	groupWait    = 10 * time.Millisecond
	groupLook    = time.Millisecond // between two looks for more records
)

// Output is the last stage: the one goroutine that writes. For each group of records it first
// records the answers in the ledger, then writes lines to stdout, then releases their space.
type Output struct {
	flow    *flow.Flow
	cfg     Config
	account *spend.Account
	journal *journal.Journal // nil without a ledger
	stdout  *stdout
	failed  *failedFile // nil without --failed
	order   *order      // nil without --ordered

	toldFailure bool // stderr says why the first failed record failed

	group     []*flow.Task
	followers []*flow.Task // records that get another record's answer
	bytes     int          // of the answers in the group
	// asked is how many of the group's records come from a provider. enough is how many of them end
	// the group: waiting for more would keep other records from being asked.
	asked, enough int
	ready         []*flow.Task
	timer         *time.Timer
}

// Config says where results go, and in what form.
type Config struct {
	// Stdout gets the lines, in a Format. KeepInput puts the record beside its result. Raw says that
	// the input is text, not JSON.
	Stdout    io.Writer
	Format    record.Format
	KeepInput bool
	Raw       bool
	// Replay says whether recorded results are written again.
	Replay journal.Replay
	// Ordered writes results in input order. With Batches too, they are kept on disk until all are
	// there, because the first may be the last to come.
	Ordered, Batches bool
	// Failed is the file that gets the failed records' own lines, nil for none. Inputs are the
	// names of the files that are read.
	Failed *os.File
	Inputs []string
	// First is the name of the provider that is asked first. Results do not name it.
	First string
	// Reask asks a record again after its answer was recorded and did not fit the schema. It reports
	// false if nothing is asked any more. It must not wait for the commit.
	Reask func(t *flow.Task) bool
	// Ending says how the run ends. It is called when every record's fate is recorded.
	Ending func() ledger.RunEnd
	// Observe, if set, sees every record when its fate is known. It is called by one goroutine.
	Observe func(*flow.Flow, *flow.Task)
}

// New makes the last stage.
func New(f *flow.Flow, cfg Config, a *spend.Account, j *journal.Journal) (*Output, error) {
	c := &Output{flow: f, cfg: cfg, account: a, journal: j, failed: newFailedFile(cfg.Failed), stdout: newStdout(f, cfg, j)}
	var err error
	switch {
	case cfg.Ordered && cfg.Batches:
		c.stdout.kept, err = newOrderedFile()
	case cfg.Ordered:
		c.order = newOrder()
	}
	return c, err
}

// Commit commits records until their channel is closed, and then closes the files.
func (c *Output) Commit() {
	c.timer = time.NewTimer(groupWait)
	defer c.timer.Stop()
	for c.gather() {
		c.commitGroup()
		c.commitFollowers()
	}
	c.close()
}

// gather collects the next group. It reports false if there are no more records.
//
// While more records are on their way, it waits: for groupWait if commits sync, else for groupLook,
// because waking up and writing for each record costs more than the rest of its work.
func (c *Output) gather() bool {
	most := groupLook
	if c.journal != nil && c.journal.Syncs {
		most = groupWait
	}
	c.group, c.bytes, c.asked = c.group[:0], 0, 0
	t, ok := <-c.flow.Commits
	if !ok {
		return false
	}
	c.enough = c.flow.Gate.Allowed() * 3 / 2 // the gate admits twice Allowed: the rest is in flight while these are written
	c.take(t)
	for waited := time.Duration(0); c.collect() && waited < most; waited += groupLook {
		c.timer.Reset(groupLook)
		select {
		case <-c.timer.C:
		case <-c.flow.Stop.Immediate:
			return true
		}
	}
	return true
}

// collect adds what has come to the group, and reports whether to wait for more.
func (c *Output) collect() bool {
	for len(c.group) < GroupRecords && c.bytes < groupBytes && c.asked < c.enough {
		select {
		case t, ok := <-c.flow.Commits:
			if !ok {
				return false
			}
			c.take(t)
			continue
		default:
		}
		return c.flow.Gate.Waiting() > 0
	}
	return false
}

// take adds t and its chain to the group.
func (c *Output) take(t *flow.Task) {
	for t != nil {
		next := t.Unchain()
		c.group = append(c.group, t)
		c.bytes += len(t.Reply.Body)
		if t.Outcome != flow.Recalled {
			c.asked++
		}
		t = next
	}
}

// commitGroup takes the group through ledger, stdout and --failed.
func (c *Output) commitGroup() {
	if c.journal != nil {
		spent, err := c.journal.Commit(c.group, c.stdout.takeResults())
		if err != nil {
			c.flow.Stop.FailSoon(err)
		} else {
			c.account.Committed(spent)
		}
	}
	c.flow.Recorded(c.group)
	c.reask()
	c.settleDuplicates()
	c.ready = c.group
	if c.order != nil {
		c.ready = c.order.release(c.group)
		c.flow.Counts.Held.Store(int64(len(c.order.early)))
	}
	for _, t := range c.ready {
		if t.LedgerOnly {
			if t.Outcome == flow.Answered { // a failed record was booked when it was written off
				c.book(t)
			}
			continue
		}
		c.count(t)
		if c.cfg.Observe != nil {
			c.cfg.Observe(c.flow, t)
		}
		c.stdout.add(t)
		if t.Outcome != flow.Failed {
			continue
		}
		c.tellFailure(t)
		if c.failed != nil {
			if err := c.failed.add(t); err != nil {
				c.flow.Stop.Fail(err)
			}
		}
	}
	if err := c.stdout.flush(); err != nil {
		c.flow.Stop.Fail(err)
	}
	if c.failed != nil {
		if err := c.failed.flush(); err != nil {
			c.flow.Stop.Fail(err)
		}
	}
	c.flow.Leave(c.ready)
}

// reask takes out of the group the records that are asked again, because their answers do not fit
// the schema. Those answers are recorded by now. A record whose answer does not fit, and that is
// not asked again, has failed.
func (c *Output) reask() {
	kept := c.group[:0]
	for _, t := range c.group {
		if t.Outcome != flow.Answered || !t.Misfit() || t.Same || t.LedgerOnly {
			kept = append(kept, t)
			continue
		}
		c.book(t)
		again := c.cfg.Reask
		if t.Batched != nil {
			again = t.Batched.Reask
		}
		if t.Lapse(); t.Outcome != flow.Failed && again(t) {
			continue
		}
		kept = append(kept, t)
	}
	clear(c.group[len(kept):])
	c.group = kept
}

// settleDuplicates gives the group's answers to the duplicates that waited for them. If an answer
// turned out to be recorded, by another process say, each reads it back. Duplicates with an id of
// their own form the next group, because their answers, too, are recorded before they are written.
func (c *Output) settleDuplicates() {
	for _, t := range c.group {
		for _, duplicate := range c.flow.Inflight.End(t) {
			same := bytes.Equal(duplicate.ID, t.ID)
			switch {
			case t.Outcome == flow.Recalled:
				duplicate.Duplicate = same
				if c.journal.Recall(duplicate, c.journal.Ledger.Look(duplicate.Key)) {
					c.flow.GateOf(duplicate).Grow(duplicate)
				}
			case same:
				duplicate.Share(t)
			default:
				duplicate.Follow(t)
			}
			if same {
				c.group = append(c.group, duplicate)
			} else {
				c.followers = append(c.followers, duplicate)
			}
		}
	}
}

// commitFollowers commits the records that share the answer of a committed record.
func (c *Output) commitFollowers() {
	for len(c.followers) > 0 {
		n := min(len(c.followers), GroupRecords)
		c.group = append(c.group[:0], c.followers[:n]...)
		c.followers = append(c.followers[:0], c.followers[n:]...)
		c.commitGroup()
	}
}

// book adds the tokens and the cost of t's answer to the sums of this run.
func (c *Output) book(t *flow.Task) {
	c.flow.Counts.Answered(t)
	c.account.Book(t, t.CostKnown)
}

// count counts t once, by its outcome.
func (c *Output) count(t *flow.Task) {
	switch t.Outcome {
	case flow.Unsent:
		c.flow.Counts.Unsent.Add(1)
		return
	case flow.Failed:
		c.flow.Counts.Failed.Add(1)
		if t.Misfit() {
			c.flow.Counts.Misfit(t.Shaped.Fit.Wrong.Place())
		}
		c.account.Book(t, true)
		return
	case flow.Shown:
		if t.Duplicate {
			c.flow.Counts.Skipped.Add(1)
		}
		c.flow.Counts.OK.Add(1)
		return
	case flow.Recalled:
		if t.Same {
			c.flow.Counts.Same.Add(1)
		} else if !t.Duplicate || !t.Recent { // otherwise the record with the same request was asked in this run
			c.flow.Counts.Skipped.Add(1)
		}
	case flow.Answered:
		if t.Same {
			c.flow.Counts.Same.Add(1)
		} else if !t.Duplicate {
			c.book(t)
		}
	}
	c.flow.Counts.OK.Add(1)
	if t.Simulated() {
		c.flow.Counts.Simulated.Add(1)
	}
	if t.Reply.Answer.Flag() != "" {
		c.flow.Counts.Flagged.Add(1)
	}
}

// close writes what is left, and closes the files.
func (c *Output) close() {
	err := c.stdout.pour(func(marks []ledger.Mark) error {
		_, err := c.journal.Commit(nil, marks) // marks cost nothing
		return err
	})
	if err != nil {
		c.flow.Stop.Fail(err)
	}
	if c.journal != nil {
		if err := c.journal.Close(c.stdout.takeMarks(), c.cfg.Ending); err != nil {
			c.flow.Stop.Fail(err)
		}
	}
	if c.failed != nil {
		if err := c.failed.close(); err != nil {
			c.flow.Stop.Fail(err)
		}
	}
}
