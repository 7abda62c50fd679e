package flow

import (
	"context"
	"sync/atomic"

	"llmpipe/stream/ui"
)

// Flow is what the stages of a run share: how they speak, how they end, how much is held between
// them, and where a record goes whose fate is known.
type Flow struct {
	Voice    *ui.Voice
	Stop     *Shutdown
	Gate     *Gate // of the records that come out of the input
	Spooled  *Gate // of those that come back from the disk; they have room of their own
	Inflight *Inflight
	Counts   Counts

	AllRead    atomic.Bool // every record has been read, or as many as will be
	Unrecorded atomic.Bool // the ledger could not take answers: nothing is recorded any more

	Commits chan *Task // chains of them, to the commit
}

// New makes what a run shares. It stops asking when ctx ends. allowed is how many records may be in
// flight now.
func New(ctx context.Context, voice *ui.Voice, allowed func() int) *Flow {
	f := &Flow{
		Voice: voice, Stop: newShutdown(ctx), Inflight: newInflight(), Gate: newGate(allowed), Spooled: newGate(allowed),
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

// Hand gives t to the stage that takes from next, or to the commit when nothing more is asked.
func (f *Flow) Hand(t *Task, next chan<- *Task) {
	if !f.Stop.Ending() {
		select {
		case next <- t: // mostly there is room, and a look costs less than a choice
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

// Pass hands a chain of records whose results are read back to the commit, once there is room for
// those.
func (f *Flow) Pass(c Chain) {
	f.Gate.load(c)
	f.Commits <- c.First
}

// Leave gives the room of finished records back, their memory to others, and the slots that they
// leave in tasks.
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

// GateOf is the gate that counts t.
func (f *Flow) GateOf(t *Task) *Gate {
	if t.FromDisk {
		return f.Spooled
	}
	return f.Gate
}
