package stream

import (
	"context"
	"sync/atomic"

	"llmpipe/stream/ui"
)

// Flow is what the stages of a run share: how they speak, how they end, how much is held between them, and where a record goes whose
// fate is known.
type Flow struct {
	voice    *ui.Voice
	stop     *shutdown
	gate     *gate // of the records that come out of the input
	spooled  *gate // of those that come back from the disk; they have room of their own
	underway *underway
	counts   counts

	allRead    atomic.Bool // every record has been read, or as many as will be
	unrecorded atomic.Bool // the ledger could not take answers: nothing is recorded any more

	commits chan *Task // chains of them, to the commit
}

// NewFlow makes what a run shares. It stops asking when ctx ends. allowed is how many records may be in flight now.
func NewFlow(ctx context.Context, voice *ui.Voice, allowed func() int) *Flow {
	f := &Flow{
		voice: voice, stop: newShutdown(ctx), underway: newUnderway(), gate: newGate(allowed), spooled: newGate(allowed),
		commits: make(chan *Task, commitSlack),
	}
	context.AfterFunc(f.stop.asking, f.gate.close)
	context.AfterFunc(f.stop.asking, f.spooled.close)
	return f
}

// finish hands t to the commit.
func (f *Flow) finish(t *Task) {
	f.gate.answered(t)
	f.commits <- t
}

// hand gives t to the stage that takes from next, or to the commit when nothing more is asked.
func (f *Flow) hand(t *Task, next chan<- *Task) {
	if !f.stop.ending() {
		select {
		case next <- t: // mostly there is room, and a look costs less than a choice
			return
		default:
		}
	}
	select {
	case next <- t:
	case <-f.stop.asking.Done():
		f.finish(t)
	}
}

// pass hands a chain of records whose results are read back to the commit, once there is room for those.
func (f *Flow) pass(c chain) {
	f.gate.load(c)
	f.commits <- c.first
}

// leave gives the room of finished records back, their memory to others, and the slots that they leave in tasks.
func (f *Flow) leave(tasks []*Task) {
	var came, back departure
	for i, t := range tasks {
		if t.back {
			back.add(t)
		} else {
			came.add(t)
		}
		if t.shard != nil {
			t.shard.committing.Done()
		}
		t.CloseSpill()
		t.recycle()
		tasks[i] = nil
	}
	f.gate.leave(came)
	f.spooled.leave(back)
}

// gateOf is the gate that counts t.
func (f *Flow) gateOf(t *Task) *gate {
	if t.back {
		return f.spooled
	}
	return f.gate
}
