package stream

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"syscall"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/ui"
)

// reader is the read and admit stages: the one goroutine that takes records in.
type reader struct {
	*run
	decoder *decoder
	memory  memory
	journal *journal // nil without a ledger
	next    func() (*Task, error)

	recalled chain // their results are recorded, and yet to be read back

	seq     int64 // of the next record
	pending int   // records without a recorded result, for --limit

	prepared    bool // the ledger takes answers
	toldChanged bool
}

// read takes records in until the inputs end, the limit is reached or asking stops, and has the rest of a chunk judged too.
func (r *reader) read() {
	defer r.allRead.Store(true)
	r.readRecords()
	if r.chunks.partial() && !r.stop.ending() {
		r.endChunk()
	}
}

func (r *reader) readRecords() {
	defer r.passRecalled()
	for !r.stop.ending() && (r.cfg.Limit == 0 || r.pending < r.cfg.Limit) {
		t, err := r.next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, errAbandoned) {
				r.inputError = err
			}
			return
		}
		if !r.chunks.rest.IsZero() {
			r.stop.sleep(time.Until(r.chunks.rest)) // where asking ends meanwhile, t is unsent
			r.chunks.rest = time.Time{}
		}
		r.admit(t)
		if r.chunks.full() && !r.endChunk() {
			return
		}
	}
}

// nextRecord reads and decodes a line. A line that is no record comes back failed.
func (r *reader) nextRecord() (*Task, error) {
	t := newTask()
	if err := r.source.Next(t); err != nil {
		t.recycle()
		return nil, err
	}
	if t.Err != nil {
		return t, nil
	}
	return t, r.decoder.decode(r.stop.asking, t)
}

// admit finds out what t needs and passes it on: to the lane if it must be asked, else to the commit.
func (r *reader) admit(t *Task) {
	t.seq = r.seq
	r.seq++
	t.size = int64(len(t.Buffer))
	r.counts.in.Add(1)
	again, elsewhere := false, false
	if t.Outcome == Unsent {
		again, elsewhere = r.meet(t)
	}
	if t.Outcome == Recalled {
		r.passBy(t)
		return
	}
	r.passRecalled() // before anything that may wait
	batched := t.Outcome == Unsent && r.batches.takes(t)
	if !elsewhere {
		r.pending++
		r.chunks.n++ // a bad line too: whoever judges a chunk is to see it
	}
	t.ask = t.Outcome == Unsent && !again && !batched && !elsewhere
	ready := !t.ask && !batched || r.prepare()
	if !r.gate.enter(1, t.size, t.ask) || t.Outcome != Unsent || !ready || elsewhere {
		r.finish(t)
		return
	}
	if batched || again && r.batches != nil { // where it came before it may be in a batch
		t.twin = again
		r.hand(t, r.batches.in)
		return
	}
	if joined := r.underway.begin(t); joined {
		return
	}
	if again && r.journal != nil && r.journal.recall(t, r.memory.Look(t.key)) {
		// Its twin was committed between the two look-ups.
		t.twin = true
		r.underway.end(t)
		r.finish(t)
		return
	}
	if again {
		t.ask = true
		r.gate.ask()
	}
	r.hand(t, r.fresh)
}

// passBy sends t, whose result is recorded, past all the asking.
func (r *reader) passBy(t *Task) {
	r.recalled.push(t, t.size)
	if r.recalled.full() {
		r.passRecalled()
	}
}

// passRecalled hands on what waits for company, once there is room for it. None comes while reading waits.
func (r *reader) passRecalled() {
	if c := r.recalled.take(); c.first != nil {
		r.gate.enter(c.n, c.bytes, false)
		r.recalls <- c.first
		runtime.Gosched() // where all is recorded nothing else waits here, and what is not is asked meanwhile
	}
}

// hand gives t to the stage that takes from next.
func (r *reader) hand(t *Task, next chan<- *Task) {
	if !r.stop.ending() {
		select {
		case next <- t: // mostly there is room, and a look costs less than a choice
			return
		default:
		}
	}
	select {
	case next <- t:
	case <-r.stop.asking.Done():
		r.finish(t)
	}
}

// prepare makes sure, before the first question is asked, that its answer can be recorded. It ends the run otherwise.
func (r *reader) prepare() bool {
	if r.journal == nil || r.prepared {
		return true
	}
	if err := r.journal.Prepare(); err != nil {
		hint := "name a ledger that can be written with --ledger, or go without one with --no-ledger"
		if ui.IsErrno(err, syscall.ENOSPC) {
			hint = "make room, or name a ledger on another disk with --ledger"
		}
		r.stop.fail(ui.WithHint(hint, fmt.Errorf("nothing was asked: %w", err)))
		return false
	}
	r.prepared = true
	return true
}

// meet looks t up among what is recorded and what this run has met. It reports whether the same record was met before in this run and no
// result of it is known yet, and whether it is elsewhere: in a batch that this run does not collect.
func (r *reader) meet(t *Task) (again, elsewhere bool) {
	identify(r.memory, t)
	found := r.memory.Admit(t.key)
	if found.Seen == ledger.SeenOther {
		t.Fail(duplicateID(t))
		return false, false
	}
	if r.journal != nil && r.journal.finds(t, found) {
		t.twin = found.Seen == ledger.SeenSame
		return false, false
	}
	// What was recorded since this run began is another stage's of the same pipeline: no news.
	if found.Other != 0 && !r.journal.Recent(found.Other) && !r.toldChanged {
		r.toldChanged = true
		r.voice.Note("%s is recorded under another request (its prompt, model or parameters changed) and is asked again, as all like it; "+
			"--match id reuses what is recorded", t.title())
	}
	if elsewhere = found.Shard != "" && r.batches == nil; elsewhere {
		r.elsewhere.Add(1)
	}
	return found.Seen == ledger.SeenSame, elsewhere
}
