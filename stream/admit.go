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
	flow    *Flow
	cfg     inputConfig
	source  *source
	decoder *decoder
	memory  memory
	journal *journal // nil without a ledger
	routes  routes
	next    func() (*Task, error)

	chunks     chunks
	inputError error // what ended the reading; valid once it has ended

	recalled chain // their results are recorded, and yet to be read back

	seq     int64 // of the next record
	pending int   // records without a recorded result, for --limit

	prepared    bool // the ledger takes answers
	toldChanged bool
}

// inputConfig says what is read, and how much of it is asked about.
type inputConfig struct {
	// Stdin is read where Files is empty or names "-".
	Stdin io.Reader
	Files []string
	// Stdout is where results go, which must be none of the inputs.
	Stdout io.Writer
	// MaxLine bounds a line, in bytes. Spill keeps longer ones in a file.
	MaxLine int
	Spill   bool
	// Limit ends reading after so many records that have no result yet.
	Limit int
	// Sample asks only about the so many records with the smallest hash of Seed and id.
	Sample int
	Seed   uint64
	// Chunk drains after every so many records, waits ChunkDelay and runs OnChunk in a shell, whose output goes to Stderr.
	Chunk      int
	ChunkDelay time.Duration
	OnChunk    string
	Stderr     io.Writer
	// Summary is what the run has done so far, for OnChunk.
	Summary func() ui.Summary
}

// routes are where a record may go from admission.
type routes struct {
	ask    func(t *Task)      // to be asked about at once
	recall func(c chain)      // to have what is recorded for them read back
	batch  func(t *Task)      // into a batch; nil in realtime
	takes  func(t *Task) bool // reports whether a record is to go by batch
}

// newReader makes the first stage.
func newReader(f *Flow, c inputConfig, s *source, d *decoder, j *journal, to routes) *reader {
	in := &reader{flow: f, cfg: c, source: s, decoder: d, journal: j, memory: newWindow(), routes: to, chunks: chunks{size: c.Chunk}}
	if j != nil {
		in.memory = j.ledger
	}
	d.beforeWait, s.beforeWait = in.passRecalled, in.passRecalled
	in.next = in.nextRecord
	if c.Sample > 0 {
		in.next = in.sampled()
	}
	return in
}

// read takes records in until the inputs end, the limit is reached or asking stops, and has the rest of a chunk judged too.
func (r *reader) read() {
	defer r.flow.allRead.Store(true)
	r.readRecords()
	if r.chunks.partial() && !r.flow.stop.ending() {
		r.endChunk()
	}
}

func (r *reader) readRecords() {
	defer r.passRecalled()
	for !r.flow.stop.ending() && (r.cfg.Limit == 0 || r.pending < r.cfg.Limit) {
		t, err := r.next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, errAbandoned) {
				r.inputError = err
			}
			return
		}
		if !r.chunks.rest.IsZero() {
			r.flow.stop.sleep(time.Until(r.chunks.rest)) // where asking ends meanwhile, t is unsent
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
	return t, r.decoder.decode(r.flow.stop.asking, t)
}

// admit finds out what t needs and passes it on: to the lane if it must be asked, else to the commit.
func (r *reader) admit(t *Task) {
	t.seq = r.seq
	r.seq++
	r.flow.counts.in.Add(1)
	again, elsewhere := false, false
	if t.Outcome == Unsent {
		again, elsewhere = r.meet(t)
	}
	if t.Outcome == Recalled {
		r.passBy(t)
		return
	}
	r.passRecalled() // before anything that may wait
	batched := t.Outcome == Unsent && r.routes.takes(t)
	if !elsewhere {
		r.pending++
		r.chunks.n++ // a bad line too: whoever judges a chunk is to see it
	}
	ask := t.Outcome == Unsent && !again && !batched && !elsewhere
	ready := !ask && !batched || r.prepare()
	if !r.flow.gate.enter(t, ask) || t.Outcome != Unsent || !ready || elsewhere {
		r.flow.finish(t)
		return
	}
	if batched || again && r.routes.batch != nil { // where it came before it may be in a batch
		t.twin = again
		r.routes.batch(t)
		return
	}
	if joined := r.flow.underway.begin(t); joined {
		return
	}
	if again && r.journal != nil && r.journal.recall(t, r.memory.Look(t.key)) {
		// Its twin was committed between the two look-ups.
		t.twin = true
		r.flow.underway.end(t)
		r.flow.finish(t)
		return
	}
	if again {
		r.flow.gate.ask(t)
	}
	r.routes.ask(t)
}

// passBy sends t, whose result is recorded, past all the asking.
func (r *reader) passBy(t *Task) {
	r.recalled.push(t, int64(len(t.Buffer)))
	if r.recalled.full() {
		r.passRecalled()
	}
}

// passRecalled hands on what waits for company, once there is room for it. None comes while reading waits.
func (r *reader) passRecalled() {
	if c := r.recalled.take(); c.first != nil {
		r.flow.gate.enterAll(c)
		r.routes.recall(c)
		runtime.Gosched() // where all is recorded nothing else waits here, and what is not is asked meanwhile
	}
}

// prepare makes sure, before the first question is asked, that its answer can be recorded. It ends the run otherwise.
func (r *reader) prepare() bool {
	if r.journal == nil || r.prepared {
		return true
	}
	if err := r.journal.ledger.Prepare(); err != nil {
		hint := "name a ledger that can be written with --ledger, or go without one with --no-ledger"
		if ui.IsErrno(err, syscall.ENOSPC) {
			hint = "make room, or name a ledger on another disk with --ledger"
		}
		r.flow.stop.fail(ui.WithHint(hint, fmt.Errorf("nothing was asked: %w", err)))
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
	if found.Other != 0 && !r.journal.ledger.Recent(found.Other) && !r.toldChanged {
		r.toldChanged = true
		r.flow.voice.Note("%s is recorded under another request (its prompt, model or parameters changed) and is asked again, as all like it; "+
			"--match id reuses what is recorded", t)
	}
	if elsewhere = found.Shard != "" && r.routes.batch == nil; elsewhere {
		r.flow.counts.elsewhere.Add(1)
	}
	return found.Seen == ledger.SeenSame, elsewhere
}
