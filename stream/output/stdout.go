package output

import (
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"

	"llmpipe/ledger"
	"llmpipe/ledger/disk"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// flushBytes is how much of a group's output is collected for one write.
const flushBytes = 1 << 20

// stdout writes the lines of stdout. It belongs to [Output].
type stdout struct {
	flow      *flow.Flow
	journal   *journal.Journal // nil without a ledger
	first     string           // the name of the provider that is asked first
	out       io.Writer
	format    record.Format
	keepInput bool
	rawInput  bool // the lines of the input are text, not JSON
	replay    func(emitted bool) bool
	kept      *orderedFile // nil if lines are written as they come
	marking   bool         // stdout is a file, and the ledger remembers what was written to it

	buf     []byte
	result  record.Result
	lines   []bufferedLine // in buf, not yet written
	marks   []ledger.Mark  // of lines that are written, not yet in the ledger
	stopped bool           // nothing can be written any more
}

// bufferedLine is a line that waits to be written.
type bufferedLine struct {
	end  int // position after it in the buffer
	key  ledger.Key
	mark bool // the ledger is told that it was written
}

func newStdout(f *flow.Flow, c Config, j *journal.Journal) *stdout {
	e := &stdout{
		flow: f, journal: j, first: c.First, out: c.Stdout, format: c.Format, keepInput: c.KeepInput, rawInput: c.Raw,
	}
	switch f, ok := c.Stdout.(*os.File); {
	case ok && ui.IsTerminal(f):
		e.out = e.flow.Voice.Above(f)
	case ok && ui.IsPipe(f):
		e.out = e.flow.Voice.Beside(f)
	}
	appending := false
	if f, ok := c.Stdout.(*os.File); ok && j != nil {
		_, e.marking = disk.IDOf(f)
		if appending = appendsToContent(f); appending {
			e.takeUp(c.Replay)
		}
	}
	switch c.Replay {
	case journal.ReplayAlways:
		e.replay = func(bool) bool { return true }
	case journal.ReplayNever:
		e.replay = func(bool) bool { return false }
	default:
		e.replay = func(emitted bool) bool { return !(appending && emitted) }
	}
	return e
}

// takeUp continues the file that stdout is appended to. It cuts off a partial line of an earlier
// run, and ends any other partial line, so that the next line begins on its own.
func (e *stdout) takeUp(replay journal.Replay) {
	half := e.journal.FindHalfLine(e.format)
	cut := half.Own && e.journal.CutHalfLine(half) == nil
	switch {
	case cut:
		e.flow.Voice.Warn("stdout: removed the incomplete line of a killed run, %d bytes at byte %d", half.Size, half.From)
	case half.Size > 0:
		e.buf = append(e.buf, e.format.End())
		e.flow.Voice.Warn("stdout: its last line is incomplete (%d bytes at byte %d), and no run of this ledger is known to have written it: "+
			"it is kept, and the next line begins after it", half.Size, half.From)
	}
	if replay == journal.ReplayAuto && !e.journal.Resume(e.format) {
		e.flow.Voice.Warn("stdout: its file cannot be read, so lines that it already has are written again")
	}
}

// add appends t's line, if it has one, to the lines to be written.
func (e *stdout) add(t *flow.Task) {
	if t.Outcome == flow.Shown {
		e.show(t)
		return
	}
	if t.Outcome == flow.Unsent || t.Outcome == flow.Recalled && !t.Same && !e.replay(t.Emitted) || e.stopped {
		return
	}
	r := &e.result
	*r = record.Result{
		ID: t.ID, Line: t.Line, File: t.File,
		Attempts: t.Attempts,
	}
	if e.keepInput && t.Spill == nil {
		r.Input = t.Input
		r.InputIsText = e.rawInput
	}
	switch t.Outcome {
	case flow.Answered:
		r.Answer, r.Response, r.LatencyMS = &t.Reply.Answer, t.Reply.Body, t.Reply.Latency.Milliseconds()
		r.CostNanos, r.CostKnown, r.CostPartial, r.DowngradedFrom = t.Cost, t.CostKnown, t.CostPartial, t.DowngradedFrom
		r.Provider, r.SameAs = e.providerOf(t.Host.Name), t.SameAs
	case flow.Recalled:
		r.Answer, r.Response, r.LatencyMS = &t.Reply.Answer, t.Recorded.Response, t.Recorded.LatencyMS
		r.Attempts = t.Recorded.Attempts
		r.CostNanos, r.CostKnown, r.CostPartial = t.RecordedCost(), t.Recorded.CostKnown, t.Recorded.CostPartial
		r.DowngradedFrom, r.Provider = t.Recorded.DowngradedFrom, e.providerOf(t.Recorded.Provider)
		if r.SameAs = t.Recorded.SameAs; t.Same {
			r.SameAs, r.CostKnown, r.CostPartial, r.Attempts = t.Leader(), true, false, 0
		}
	case flow.Failed:
		r.Err = t.Err
		r.CostNanos, r.CostKnown, r.CostPartial = t.Cost, t.Cost > 0, t.CostPartial
		if e.format.IsText() {
			e.flow.Voice.Error(fmt.Errorf("%s: %w", t, t.Err))
		}
	}
	e.shape(t)
	if size := len(r.Response) + len(r.Input); size > flushBytes {
		if err := e.flush(); err != nil { // so that the buffer holds no other lines
			e.flow.Stop.Fail(err)
		}
		e.buf = slices.Grow(e.buf, size+flushBytes/2) // flushBytes/2 is for the rest of the line
	}
	start := len(e.buf)
	e.buf = e.format.Append(e.buf, r)
	mark := e.marking && t.Outcome != flow.Failed
	if t.Outcome == flow.Recalled && e.journal.Wrote(t, e.buf[start:]) {
		e.buf = e.buf[:start]
		return
	}
	if e.kept != nil {
		if err := e.kept.put(t.Seq, t.Key, mark, e.buf[start:]); err != nil {
			e.flow.Stop.Fail(err)
		}
		e.buf = e.buf[:start]
		e.flow.Counts.Held.Add(1)
		return
	}
	e.lines = append(e.lines, bufferedLine{len(e.buf), t.Key, mark})
	if len(e.buf) >= flushBytes {
		if err := e.flush(); err != nil {
			e.flow.Stop.Fail(err)
		}
	}
}

// shape puts into t's line the value that fits the schema, or the last answer of a failed record,
// and the usage of its earlier answers.
func (e *stdout) shape(t *flow.Task) {
	h, r := t.Shaped, &e.result
	if h == nil {
		return
	}
	r.Parsed, r.Said = h.Fit.Parsed, nil
	if t.Outcome == flow.Failed {
		r.Parsed, r.Said = nil, h.Said
	}
	if r.SameAs == nil {
		own := h.Earlier.Less(&h.Elsewhere)
		AddEarlier(r, &own)
	}
}

// show appends the request of a record that is only shown, unless it is a duplicate of another.
func (e *stdout) show(t *flow.Task) {
	if t.Duplicate || e.stopped {
		return
	}
	e.buf = record.AppendRequest(e.buf, &t.Record)
	if len(e.buf) >= flushBytes {
		if err := e.flush(); err != nil {
			e.flow.Stop.Fail(err)
		}
	}
}

// pour writes the lines that were kept until the end. It calls note with the marks of each part
// that it has written.
func (e *stdout) pour(note func(marks []ledger.Mark) error) error {
	if e.kept == nil {
		return nil
	}
	defer e.kept.discard()
	part := func() error {
		if err := e.flush(); err != nil {
			return err
		}
		return note(e.takeMarks())
	}
	err := e.kept.pour(func(key ledger.Key, mark bool, line []byte) error {
		e.flow.Counts.Held.Add(-1)
		e.buf = append(e.buf, line...)
		e.lines = append(e.lines, bufferedLine{len(e.buf), key, mark})
		if len(e.buf) < flushBytes {
			return nil
		}
		return part()
	})
	if err != nil {
		return err
	}
	return part()
}

// recording reports whether answers are recorded, so that those in flight are worth waiting for.
func (e *stdout) recording() bool { return e.journal != nil }

// providerOf returns the provider that a result names: none for the provider that is asked first.
func (e *stdout) providerOf(name string) string {
	if name == e.first {
		return ""
	}
	return name
}

// flush writes the lines that were added. If the reader has closed stdout, the run ends and later
// lines are dropped; with a ledger the same command writes them the next time.
func (e *stdout) flush() error {
	if len(e.buf) == 0 || e.stopped {
		return nil
	}
	n, err := e.out.Write(e.buf)
	from := e.position() - int64(n)
	if err != nil {
		n = e.cutBack(n)
	}
	e.mark(from, n)
	e.buf, e.lines = e.buf[:0], e.lines[:0]
	if cap(e.buf) > 4*flushBytes {
		e.buf = nil
	}
	if err == nil {
		return nil
	}
	e.stopped = true
	if ui.IsClosedPipe(err) {
		e.flow.Stop.ClosedPipe(e.recording())
		return nil
	}
	err = fmt.Errorf("writing to stdout: %w", err)
	if !e.recording() {
		e.flow.Stop.StopWait() // what is still to come has nowhere to go
	}
	if ui.IsErrno(err, syscall.ENOSPC) && e.recording() {
		err = ui.WithHint("make room, then run the same command again: the answers are in the ledger, and are not paid for twice", err)
	}
	return err
}

// cutBack cuts a file back to whole lines after a write that wrote only n bytes, as on a full disk.
// It returns how many bytes the whole lines have.
func (e *stdout) cutBack(n int) (whole int) {
	for _, l := range e.lines {
		if l.end <= n {
			whole = l.end
		}
	}
	f, ok := e.out.(*os.File)
	if !ok || whole == n {
		return whole
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil || flow.FileSize(f) != at { // not a file, or others have appended to it
		return whole
	}
	at -= int64(n - whole)
	if err := f.Truncate(at); err == nil { // if it fails, the next run sees that the file ends inside a line
		_, _ = f.Seek(at, io.SeekStart)
	}
	return whole
}

// position returns the offset in the file where the next line goes if no other program writes to
// it; 0 without marks.
func (e *stdout) position() int64 {
	if !e.marking {
		return 0
	}
	at, err := e.out.(*os.File).Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return at
}

// mark notes the lines in the first n bytes of the buffer, which were written at offset from of the
// file. They share a mark with the lines before them, if those end at that offset.
func (e *stdout) mark(from int64, n int) {
	if !e.marking || n == 0 || from < 0 {
		return
	}
	last := len(e.marks) - 1
	if last < 0 || e.marks[last].Proof.To != from {
		last++
		if last < cap(e.marks) {
			e.marks = e.marks[:last+1] // reuses the memory of its keys
		} else {
			e.marks = append(e.marks, ledger.Mark{})
		}
		e.marks[last].Keys, e.marks[last].Proof = e.marks[last].Keys[:0], ledger.Proof{From: from, To: from}
	}
	m := &e.marks[last]
	m.Proof.Add(e.buf[:n])
	for _, l := range e.lines {
		if l.mark && l.end <= n {
			m.Keys = append(m.Keys, l.key)
		}
	}
}

// takeMarks returns the marks of the lines that were written to a file since the last call. They
// are valid until the next flush.
func (e *stdout) takeMarks() []ledger.Mark {
	marks := e.marks
	e.marks = e.marks[:0]
	return marks
}

// takeResults is takeMarks if one of the marks has a result's key. Otherwise it returns nothing,
// because no commit is made for other lines.
func (e *stdout) takeResults() []ledger.Mark {
	for i := range e.marks {
		if len(e.marks[i].Keys) > 0 {
			return e.takeMarks()
		}
	}
	return nil
}
