package input

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/folder"
	"llmpipe/stream/journal"
	"llmpipe/stream/ui"
)

// Input is the read and admit stages: the one goroutine that takes records in.
type Input struct {
	flow    *flow.Flow
	cfg     Config
	source  *Source
	decoder *Decoder
	memory  memory
	journal *journal.Journal // nil without a ledger
	files   attached
	routes  Routes
	next    func() (*flow.Task, error)

	chunks     chunks
	InputError error // why reading ended, once it has ended

	recalled flow.Chain // records whose results are in the ledger, not read back yet

	seq     int64 // of the next record
	pending int   // records without a recorded result, for --limit

	whole atomic.Bool // everything wanted from the inputs was read

	prepared    bool // the ledger takes answers
	toldChanged bool
}

// Config says what is read, and how many of its records are asked.
type Config struct {
	// Stdin is read if Files is empty or names "-".
	Stdin io.Reader
	Files []string
	// Stdout is where results go, which must be none of the inputs.
	Stdout io.Writer
	// MaxLine bounds a line, in bytes. Spill keeps longer ones in a file.
	MaxLine int
	Spill   bool
	// Limit ends reading after this many records without a result.
	Limit int
	// Sample is how many records to ask: those with the smallest hash of Seed and id.
	Sample int
	Seed   uint64
	// Slice selects the records of one part of the input, or of the sample.
	Slice Slice
	// Chunk drains after every so many records, waits ChunkDelay and runs OnChunk in a shell, whose
	// output goes to Stderr.
	Chunk      int
	ChunkDelay time.Duration
	OnChunk    string
	Stderr     io.Writer
	// Folder holds the files that records name; nil if none are attached.
	Folder *folder.Folder
	// DryRun sends nothing: each record is shown as it would be asked.
	DryRun bool
	// Summary is what the run has done so far, for OnChunk.
	Summary func() ui.Summary
}

// Routes are where admission sends records.
type Routes struct {
	Ask    func(t *flow.Task)      // to be asked about at once
	Recall func(c flow.Chain)      // to read back what is recorded for them
	Batch  func(t *flow.Task)      // into a batch; nil in realtime
	Takes  func(t *flow.Task) bool // reports whether a record is to go by batch
}

// New makes the first stage.
func New(f *flow.Flow, c Config, s *Source, d *Decoder, j *journal.Journal, to Routes) *Input {
	in := &Input{flow: f, cfg: c, source: s, decoder: d, journal: j, memory: newWindow(), routes: to, chunks: chunks{size: c.Chunk}}
	if j != nil {
		in.memory = j.Ledger
	}
	d.beforeWait, s.beforeWait = in.passRecalled, in.passRecalled
	in.files = attached{folder: c.Folder, journal: j}
	in.next = in.nextRecord
	if c.Sample > 0 {
		in.next = in.sampled()
	}
	if c.Slice.Of > 1 {
		in.next = c.Slice.sliced(in.next)
	}
	return in
}

// Read admits records until the inputs end, the limit is reached or asking stops. Then it ends the
// last chunk.
func (r *Input) Read() {
	defer r.flow.AllRead.Store(true)
	r.readRecords()
	if r.chunks.partial() && !r.flow.Stop.Ending() {
		r.endChunk()
	}
}

func (r *Input) readRecords() {
	defer r.passRecalled()
	for !r.flow.Stop.Ending() && (r.cfg.Limit == 0 || r.pending < r.cfg.Limit) {
		t, err := r.next()
		if err != nil {
			switch {
			case errors.Is(err, io.EOF):
				r.whole.Store(true)
			case !errors.Is(err, errAbandoned):
				r.InputError = err
			}
			return
		}
		if !r.chunks.rest.IsZero() {
			r.flow.Stop.Sleep(time.Until(r.chunks.rest)) // if asking ends during the sleep, t is unsent
			r.chunks.rest = time.Time{}
		}
		r.admit(t)
		if r.chunks.full() && !r.endChunk() {
			return
		}
	}
	if r.cfg.Limit > 0 && r.pending >= r.cfg.Limit {
		r.whole.Store(true)
	}
}

// Whole reports whether everything that is wanted from the inputs was read. It stays false if the
// run was stopped before.
func (r *Input) Whole() bool { return r.whole.Load() }

// nextRecord reads and decodes a line. A line that is not a record becomes a failed record.
func (r *Input) nextRecord() (*flow.Task, error) {
	t := flow.NewTask()
	if err := r.source.Next(t); err != nil {
		t.Recycle()
		return nil, err
	}
	if t.Err != nil {
		return t, nil
	}
	return t, r.decoder.decode(r.flow.Stop.Asking, t)
}

// admit sends t on: to the lanes or a batch if it has to be asked, else to the commit.
func (r *Input) admit(t *flow.Task) {
	t.Seq = r.seq
	r.seq++
	r.flow.Counts.In.Add(1)
	again, elsewhere := false, false
	if t.Outcome == flow.Unsent {
		again, elsewhere = r.meet(t)
	}
	if t.Outcome == flow.Recalled {
		r.passBy(t)
		return
	}
	r.passRecalled() // before anything that may wait
	batched := t.Outcome == flow.Unsent && r.routes.Takes(t)
	if t.Outcome == flow.Unsent && !batched && !elsewhere {
		r.files.look(t)
	}
	if !elsewhere {
		r.pending++
		r.chunks.n++ // counts a bad line too, so that --on-chunk sees it
	}
	if t.Outcome == flow.Unsent && r.cfg.DryRun {
		t.Outcome, t.Duplicate = flow.Shown, again
		r.files.show(t)
	}
	ask := t.Outcome == flow.Unsent && !again && !batched && !elsewhere
	ready := !ask && !batched || r.prepare()
	if !r.flow.Gate.Enter(t, ask) || t.Outcome != flow.Unsent || !ready || elsewhere {
		r.flow.Finish(t)
		return
	}
	if batched || again && r.routes.Batch != nil { // where it came before it may be in a batch
		t.Duplicate = again
		r.routes.Batch(t)
		return
	}
	joined, shard := r.flow.Inflight.BeginUnlessKept(t, r.flow.Gate)
	switch {
	case joined:
		return
	case shard != "":
		r.flow.Gate.Spare(t)
		r.routes.Batch(t)
		return
	}
	if (again || r.flow.Inflight.ByRequest) && r.journal != nil && r.journal.Recall(t, r.memory.Look(t.Key)) {
		// What it is a duplicate of was committed between the two look-ups.
		t.Duplicate = again
		r.flow.Finish(t)
		return
	}
	if again {
		r.flow.Gate.Ask(t)
	}
	r.routes.Ask(t)
}

// passBy sends t, whose result is in the ledger, straight to the commit.
func (r *Input) passBy(t *flow.Task) {
	r.recalled.Push(t, int64(len(t.Buffer)))
	if r.recalled.Full() {
		r.passRecalled()
	}
}

// passRecalled sends the gathered chain on once there is room for it. It is called before every
// call that may block.
func (r *Input) passRecalled() {
	if c := r.recalled.Take(); c.First != nil {
		r.flow.Gate.EnterAll(c)
		r.routes.Recall(c)
		runtime.Gosched() // if all is recorded, nothing else blocks here; lets records that are not be asked
	}
}

// prepare makes sure, before anything is asked, that answers can be recorded. Otherwise it ends the
// run.
func (r *Input) prepare() bool {
	if r.journal == nil || r.prepared {
		return true
	}
	if err := r.journal.Prepare(); err != nil {
		hint := "name a writable ledger with --ledger, or do without one with --no-ledger"
		if ui.IsErrno(err, syscall.ENOSPC) {
			hint = "make room, or name a ledger on another disk with --ledger"
		}
		r.flow.Stop.Fail(r.journal.HintAtWrite(fmt.Errorf("nothing was sent: %w", err), hint))
		return false
	}
	r.prepared = true
	return true
}

// inShard reports whether a pending shard has t, which is its own, or where equal requests are
// asked once another's that has t's request.
func (r *Input) inShard(t *flow.Task, own string) bool {
	return own != "" || r.journal != nil && r.flow.Inflight.ByRequest && r.journal.Ledger.SameShard(t.Key) != ""
}

// meet looks t up in the ledger and among the records of this run. again means that the same record
// came before in this run and has no result yet. elsewhere means that it is in a batch that this
// run does not collect.
func (r *Input) meet(t *flow.Task) (again, elsewhere bool) {
	identify(r.memory, t)
	found := r.memory.Admit(t.Key)
	if found.Seen == ledger.SeenOther {
		t.Fail(duplicateID(t))
		return false, false
	}
	if r.journal != nil && r.journal.Finds(t, found) && r.files.stands(t) {
		t.Duplicate = found.Seen == ledger.SeenSame
		return false, false
	}
	// A result recorded since this run began is from another process of the same pipeline: no news.
	if found.Other != 0 && !r.journal.Ledger.Recent(found.Other) && !r.toldChanged {
		r.toldChanged = true
		r.flow.Voice.Note("%s was recorded with another request (prompt, model or parameters have changed): "+
			"it and others like it are sent again; "+
			"--match id reuses what is recorded", t)
	}
	if elsewhere = r.routes.Batch == nil && r.inShard(t, found.Shard); elsewhere {
		r.flow.Counts.Elsewhere.Add(1)
	}
	return found.Seen == ledger.SeenSame, elsewhere
}
