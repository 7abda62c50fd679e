package flow

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"llmpipe/ledger"
	"llmpipe/stream/naming"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// Fate is what became of a record.
type Fate uint8

const (
	Unsent   Fate = iota // read, but never answered: it has no line
	Answered             // a provider's answer
	Recalled             // an answer that the ledger held
	Failed               // an error line
	Shown                // its request was shown, and nobody is asked
)

// Task is one record on its way. One stage owns it at a time.
type Task struct {
	record.Record

	// The fields that every stage reads stand together: they move from one processor's cache to
	// another's.
	Seq        int64      // its place among the selected records, from 0
	Key        ledger.Key // what the ledger and the run know it by
	size       int64      // bytes of the line charged to the gate
	answer     int64      // bytes of what came back charged to the gate
	next       *Task      // behind it in a chain
	Batched    *Batched   // the shard that its answer came from; nil in realtime
	cameFrom   *Host      // whose answer it has, not recorded yet; nil: none
	duplicates []*Task    // the same record, met while this one was in flight: they share its answer
	Ref        ledger.Ref // when recalled: where its result stands
	loaded     int64      // when recalled: bytes of the result charged to the gate
	Outcome    Fate
	ask        bool // counted by the gate as one to be asked
	Duplicate  bool // its answer is another record's
	Emitted    bool // when recalled: it was written to this very file before
	Claimed    bool // when recalled: it may have been; its line in that file is the proof
	Recent     bool // when recalled: it was recorded since this run began
	FromDisk   bool // it came back from the disk, and Flow.Spooled counts it
	Same       bool // its request equals that of another record, whose answer it gets
	LedgerOnly bool // an answer to a record that this input does not hold: for the ledger alone

	Err    *record.Error // when failed
	Buffer []byte        // the memory that Input lies in
	Spill  *os.File      // where an over-long line went, for --failed

	Host      *Host  // where it was asked last; nil before
	SentModel string // the model that it was asked for there

	Reply          provider.Reply
	Recorded       ledger.Result // when recalled
	Attempts       int           // that count: pressure and outages cost none
	Cost           int64         // of all attempts, as far as it is known
	CostKnown      bool          // the answer's cost is in Cost
	CostStated     bool          // the provider stated it
	CostPartial    bool          // a part of what was billed has no price, and is not in Cost
	MayCost        int64         // the worst case of attempts whose cost was not reported
	DowngradedFrom string        // the model asked for, if a cheaper one answered
	SameAs         []byte        // the id of the equal record whose answer it has; nil: it has its own

	Shaped *Shaped // how its answer fits a schema; nil if none is asked for

	Risk Risk // what the ledger knows of attempts at it
}

// Risk is what the ledger knows of attempts at a record whose outcome is not recorded yet.
type Risk struct {
	Held   bool  // it is at risk there
	Flying bool  // with an attempt under way
	Priced bool  // at a known price
	Nanos  int64 // the most that all attempts can cost, billionths of a dollar
}

// MaxPooled is the largest buffer, in bytes, that a finished record leaves to a later one. Larger
// ones go to the garbage collector.
const MaxPooled = 64 << 10

var tasks = sync.Pool{New: func() any { return new(Task) }}

// NewTask returns an empty task, from the pool of finished ones.
func NewTask() *Task { return tasks.Get().(*Task) }

// Recycle gives t's memory to a later record. Nothing may refer to it any more.
func (t *Task) Recycle() {
	t.recorded()
	t.Reply.LetGo()
	if t.Reply.BodyInUse || max(cap(t.Buffer), cap(t.Reply.Body), cap(t.Recorded.Response)) > MaxPooled {
		return
	}
	rec, line, body, recorded := t.Record, t.Buffer[:0], t.Reply.Body[:0], t.Recorded
	rec.Reset()
	*t = Task{Record: rec, Buffer: line, Reply: provider.Reply{Body: body}, Recorded: recorded}
	tasks.Put(t)
}

// Share gives t the fate of first, which has the same id and request.
func (t *Task) Share(first *Task) {
	t.Outcome, t.Err, t.Attempts = first.Outcome, first.Err, first.Attempts
	t.Duplicate, t.Shaped = true, nil
	if h := first.Shaped; h != nil {
		t.Shaped = &Shaped{Fit: h.Fit, Said: h.Said} // the earlier answers cost once, too
	}
	if first.Outcome != Answered {
		return
	}
	if body := first.Reply.Body; cap(body) > MaxPooled {
		t.Reply.Body = body // no later record gets that memory
	} else {
		t.Reply.Body = append(t.Reply.Body[:0], body...)
	}
	t.Reply.Latency = first.Reply.Latency
	t.Host, t.CostKnown, t.DowngradedFrom = first.Host, first.CostKnown, first.DowngradedFrom // it cost once
	t.CostPartial = first.CostPartial
	copy(t.Files, first.Files) // their requests are equal, and so are the paths
	t.Reply.Answer, _ = record.RecallAnswer(t.Endpoint, t.Reply.Body)
}

// Follow gives t the fate of first, whose request is equal. t keeps its own id.
func (t *Task) Follow(first *Task) {
	t.Share(first)
	t.Same = true
	if t.Outcome != Answered {
		return
	}
	t.Duplicate = false // it has a line of its own in the ledger
	t.SameAs, t.SentModel, t.Attempts, t.CostKnown, t.CostPartial = bytes.Clone(first.ID), first.SentModel, 0, true, false
}

// Leader is the id of the record that was asked about instead of t. t's answer is the recorded one
// to an equal request.
func (t *Task) Leader() []byte {
	if t.Recorded.SameAs != nil {
		return t.Recorded.SameAs
	}
	return t.Recorded.ID
}

// Held returns the bytes that the gate counts for t: of its line with the answer, and of a recorded
// result.
func (t *Task) Held() (line, result int64) { return t.size + t.answer, t.loaded }

// String says which record t is, for messages.
func (t *Task) String() string {
	var b strings.Builder
	if t.File != "" {
		b.WriteString(naming.Short(t.File) + " ")
	}
	fmt.Fprintf(&b, "line %d", t.Line)
	if t.ID != nil {
		fmt.Fprintf(&b, " (id %s)", naming.Short(t.ID))
	}
	return b.String()
}

// Fail turns t into an error line.
func (t *Task) Fail(err *record.Error) {
	err.Cut()
	t.Outcome, t.Err = Failed, err
}

// Simulated reports whether t's answer is the simulated provider's.
func (t *Task) Simulated() bool {
	if t.Outcome == Recalled {
		return t.Recorded.Simulated
	}
	return t.Host != nil && t.Host.Client.Rehearses()
}

// RecordedCost is what a recalled answer cost, in billionths of a dollar. It is 0 if another record
// has the cost.
func (t *Task) RecordedCost() int64 {
	if t.Duplicate || t.Same {
		return 0
	}
	return t.Recorded.CostNanos
}

// Batched is the shard that answered a record, and waits for its commit.
type Batched struct {
	ID         string
	Committing sync.WaitGroup // records on their way through the commit
	// Reask asks about t again, in another batch, after its recorded answer did not fit the schema. It
	// reports false if nothing is asked any more, and does not wait for the commit.
	Reask func(t *Task) bool
}

// ShardID names the shard that t was answered in; empty in realtime.
func (t *Task) ShardID() string {
	if t.Batched == nil {
		return ""
	}
	return t.Batched.ID
}

// CloseSpill closes the temporary file of an over-long line. The file has no name any more.
func (t *Task) CloseSpill() {
	if t.Spill != nil {
		_ = t.Spill.Close()
		t.Spill = nil
	}
}

// CopySpill writes the over-long line to w.
func (t *Task) CopySpill(w io.Writer) error {
	if _, err := t.Spill.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, t.Spill)
	return err
}
