package stream

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"llmpipe/ledger"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// outcome is what became of a record.
type outcome uint8

const (
	Unsent   outcome = iota // read, but never answered: it has no line
	Answered                // a provider's answer
	Recalled                // an answer that the ledger held
	Failed                  // an error line
)

// Task is one record on its way. One stage owns it at a time.
type Task struct {
	record.Record

	// What every stage looks at stands together, as it comes from one processor's cache into another's.
	seq     int64      // its place among the records that were selected, from 0
	key     ledger.Key // what the ledger and the run know it by
	size    int64      // bytes charged to the gate
	next    *Task      // behind it in a chain
	shard   *Batched   // whose answer it has, and which waits for its commit; nil in realtime
	twins   []*Task    // same id and request, met while this one was under way: its answer is theirs
	ref     ledger.Ref // when recalled: where its result stands
	loaded  int64      // when recalled: bytes of the result charged to the gate
	Outcome outcome
	ask     bool // counted by the gate as one to be asked
	twin    bool // its answer is another record's
	emitted bool // when recalled: it was written to this very file before
	recent  bool // when recalled: it was recorded since this run began
	back    bool // it was on disk, and counts at the gate of those
	gone    bool // no record of the input, but the answer to one of an earlier run: for the ledger alone

	Err    *record.Error // when failed
	Buffer []byte        // the memory that Input lies in
	Spill  *os.File      // where an over-long line went, for --failed

	host      *Host  // where it was asked last; nil before
	sendModel string // what it was asked for there

	Reply          provider.Reply
	Recorded       ledger.Result // when recalled
	Attempts       int           // that count: pressure and outages cost none
	Cost           int64         // of all attempts, as far as it is known
	CostKnown      bool          // the answer's cost is in cost
	mayCost        int64         // the most that attempts can have cost of which nobody said what they did
	downgradedFrom string        // the model asked for, where the answer is the cheaper one's
}

// maxPooled is how much memory of a finished record is kept for the next, in bytes. Larger buffers go back to the collector.
const maxPooled = 64 << 10

var tasks = sync.Pool{New: func() any { return new(Task) }}

func newTask() *Task { return tasks.Get().(*Task) }

// recycle gives t's memory to a later record. Nothing may refer to it any more.
func (t *Task) recycle() {
	if t.Reply.BodyInUse || max(cap(t.Buffer), cap(t.Reply.Body), cap(t.Recorded.Response)) > maxPooled {
		return
	}
	rec, line, body, recorded := t.Record, t.Buffer[:0], t.Reply.Body[:0], t.Recorded
	rec.Reset()
	*t = Task{Record: rec, Buffer: line, Reply: provider.Reply{Body: body}, Recorded: recorded}
	tasks.Put(t)
}

// Held is how many bytes of it are counted while it is open: of its line, with an answer that came for it, and of a result that is recorded.
func (t *Task) Held() (line, result int64) { return t.size, t.loaded }

// String says which record t is, for messages.
func (t *Task) String() string {
	var b strings.Builder
	if t.File != "" {
		b.WriteString(t.File + " ")
	}
	fmt.Fprintf(&b, "line %d", t.Line)
	if t.ID != nil {
		fmt.Fprintf(&b, " (id %s)", t.ID)
	}
	return b.String()
}

// Fail turns t into an error line.
func (t *Task) Fail(err *record.Error) {
	t.Outcome, t.Err = Failed, err
}

// RecordedCost is what a recalled answer cost, in billionths of a dollar: nothing where another record of this run has its cost.
func (t *Task) RecordedCost() int64 {
	if t.twin {
		return 0
	}
	return t.Recorded.CostNanos
}

// Batched is the shard that records were answered in.
type Batched struct {
	id         string
	committing sync.WaitGroup // records on their way through the commit
}

// shardID names the shard that t was answered in; empty in realtime.
func (t *Task) shardID() string {
	if t.shard == nil {
		return ""
	}
	return t.shard.id
}

// CloseSpill ends the life of the temporary file, which has no name any more.
func (t *Task) CloseSpill() {
	if t.Spill != nil {
		_ = t.Spill.Close()
		t.Spill = nil
	}
}

// copySpill writes the over-long line to w.
func (t *Task) copySpill(w io.Writer) error {
	if _, err := t.Spill.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, t.Spill)
	return err
}
