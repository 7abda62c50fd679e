package batch

import (
	"time"

	"llmpipe/stream/flow"
	"llmpipe/stream/lane"
)

// asked holds the records that another living process is asking about. They go into a shard of this
// process only after the other has asked in vain. They wait in memory, because they are few, and
// count as asleep at their gate.
type asked struct {
	waiting []*flow.Task
	timer   *time.Timer // nil before the first
}

// leave makes t wait until it is answered or no other process has it in flight. In a run that does
// not wait, it leaves t to the other process.
func (f *assembler) leave(t *flow.Task) {
	if f.batches.cfg.Detach {
		f.batches.askedElsewhere.Add(1)
		f.flow.Finish(t)
		return
	}
	f.batches.toldAsked.Do(func() {
		f.flow.Voice.Note("another process has sent %s: this run waits for that answer, and for others like it", t)
	})
	f.flow.GateOf(t).Sleep(1)
	a := &f.asked
	a.waiting = append(a.waiting, t)
	if len(a.waiting) > 1 {
		return
	}
	if a.timer == nil {
		a.timer = time.NewTimer(lane.LookAgain)
	} else {
		a.timer.Reset(lane.LookAgain)
	}
}

// look returns a channel that says when to look again; nil while nothing waits.
func (a *asked) look() <-chan time.Time {
	if len(a.waiting) == 0 {
		return nil
	}
	return a.timer.C
}

// lookAtAsked places the waiting records again, by what the ledger says now.
func (f *assembler) lookAtAsked() {
	spent, err := f.batches.journal.CatchUp()
	if err != nil {
		f.flow.Stop.Fail(err)
		return
	}
	f.account.Committed(spent)
	for _, t := range f.takeAsked() {
		f.batches.place(f, t)
	}
}

// takeAsked removes and returns the waiting records.
func (f *assembler) takeAsked() []*flow.Task {
	waited := f.asked.waiting
	f.asked.waiting = nil
	for _, t := range waited {
		f.flow.GateOf(t).Wake(1)
	}
	return waited
}

// quietLooks is how many looks in a row must free no record before those freed earlier are
// submitted.
const quietLooks = 20

// awaitAsked waits until no record waits any more, or asking ends. It submits the records that
// other processes asked about in vain.
func (f *assembler) awaitAsked() {
	quiet := 0
	for len(f.asked.waiting) > 0 && f.flow.Stop.Sleep(lane.LookAgain) {
		before := len(f.asked.waiting)
		f.lookAtAsked()
		if quiet++; len(f.asked.waiting) < before {
			quiet = 0
		}
		if len(f.asked.waiting) == 0 || quiet == quietLooks {
			f.carryOut()
			f.seal()
		}
	}
}
