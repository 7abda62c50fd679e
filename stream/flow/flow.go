package flow

import (
	"context"
	"sync/atomic"

	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// Flow is what the stages of a run share: messages, the shutdown, the gates, the counts, and the
// channel to the commit.
type Flow struct {
	Voice    *ui.Voice
	Stop     *Shutdown
	Gate     *Gate            // of the records that come out of the input
	Spooled  *Gate            // of the records that come back from the disk, which have room of their own
	Bodies   *provider.Memory // the memory of all large answers, from their first bytes on
	Inflight *Inflight
	Counts   Counts

	AllRead    atomic.Bool // nothing more will be read
	Unrecorded atomic.Bool // the ledger could not take answers: nothing is recorded any more

	Commits chan *Task // chains of them, to the commit

	hosts      int          // that are asked
	heldTo     atomic.Int64 // how many records there is space for on the disk; 0: any number
	onRecorded func()       // nil: nobody waits for it
}

// New returns the flow of a run. Asking stops when ctx ends. allowed returns how many records may
// be in flight now.
func New(ctx context.Context, voice *ui.Voice, allowed func() int) *Flow {
	f := &Flow{
		Voice: voice, Stop: newShutdown(ctx), Inflight: newInflight(),
		Gate: newGate(allowed, maxAnswerBytes), Spooled: newGate(allowed, maxOpenBytes), Bodies: provider.NewMemory(maxAnswerBytes),
		Commits: make(chan *Task, commitSlack),
	}
	context.AfterFunc(f.Stop.Asking, f.Gate.close)
	context.AfterFunc(f.Stop.Asking, f.Spooled.close)
	return f
}

// Finish hands t to the commit.
func (f *Flow) Finish(t *Task) {
	f.Gate.answered(t)
	f.Commits <- t
}

// Hand sends t to next, or to the commit once asking has ended.
func (f *Flow) Hand(t *Task, next chan<- *Task) {
	if !f.Stop.Ending() {
		select {
		case next <- t: // mostly there is room, and a plain send costs less than a select
			return
		default:
		}
	}
	select {
	case next <- t:
	case <-f.Stop.Asking.Done():
		f.Finish(t)
	}
}

// Pass sends a chain of recalled records to the commit once the gate has room for their results.
func (f *Flow) Pass(c Chain) {
	f.Gate.load(c)
	f.Commits <- c.First
}

// Leave gives back the room and the memory of finished records, and clears tasks.
func (f *Flow) Leave(tasks []*Task) {
	var came, back departure
	for i, t := range tasks {
		if t.FromDisk {
			back.add(t)
		} else {
			came.add(t)
		}
		if t.Batched != nil {
			t.Batched.Committing.Done()
		}
		t.CloseSpill()
		t.Recycle()
		tasks[i] = nil
	}
	f.Gate.leave(came)
	f.Spooled.leave(back)
}

// GateOf returns the gate that counts t.
func (f *Flow) GateOf(t *Task) *Gate {
	if t.FromDisk {
		return f.Spooled
	}
	return f.Gate
}
