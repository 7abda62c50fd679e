package stream

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"llmpipe/ledger"
	"llmpipe/limiter"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// outcome is what became of a record.
type outcome uint8

const (
	unsent   outcome = iota // read, but never answered: it has no line
	answered                // a provider's answer
	recalled                // an answer that the ledger held
	failed                  // an error line
)

// task is one record on its way. One stage owns it at a time.
type task struct {
	record.Record

	// What every stage looks at stands together, as it comes from one processor's cache into another's.
	seq     int64      // its place among the records that were selected, from 0
	key     ledger.Key // what the ledger and the run know it by
	size    int64      // bytes charged to the gate
	next    *task      // behind it in a chain
	pack    *pack      // the records that it asks about together; nil when it is one record
	shard   *shard     // whose answer it has, and which waits for its commit; nil in realtime
	twins   []*task    // same id and request, met while this one was under way: its answer is theirs
	ref     ledger.Ref // when recalled: where its result stands
	loaded  int64      // when recalled: bytes of the result charged to the gate
	outcome outcome
	ask     bool // counted by the gate as one to be asked
	twin    bool // its answer is another record's
	emitted bool // when recalled: it was written to this very file before
	recent  bool // when recalled: it was recorded since this run began
	back    bool // it was on disk, and counts at the gate of those
	gone    bool // no record of the input, but the answer to one of an earlier run: for the ledger alone

	err   *record.Error // when failed
	line  []byte        // the memory that Input lies in
	spill *os.File      // where an over-long line went, for --failed

	lane      *lane  // where it was asked last, or is to be; nil before
	floor     int    // index of the first lane where its attempts are not used up
	sendBody  []byte // what goes out there: Body, or other
	sendModel string
	other     []byte // Body with a lane's own model

	reply    provider.Reply
	recorded ledger.Result   // when recalled
	attempts int             // that count: pressure and outages cost none
	inLane   int             // of them in this lane
	streak   *limiter.Streak // the streak of failures that the last attempts belong to
	inStreak int             // how many of them
	delays   *delays         // nil until something goes wrong
	wake     time.Time

	worst          int64  // the most that the next attempt can cost, billionths of a dollar; 0 without a budget
	cost           int64  // of all attempts, as far as it is known
	costKnown      bool   // the answer's cost is in cost
	mayCost        int64  // the most that attempts can have cost of which nobody said what they did
	lowered        string // the cheaper model that the budget sent it to; empty for none
	downgradedFrom string // the model asked for, where the answer is the cheaper one's
}

// maxPooled is how much memory of a finished record is kept for the next, in bytes. Larger buffers go back to the collector.
const maxPooled = 64 << 10

var tasks = sync.Pool{New: func() any { return new(task) }}

func newTask() *task { return tasks.Get().(*task) }

// recycle gives t's memory to a later record. Nothing may refer to it any more.
func (t *task) recycle() {
	if t.reply.BodyInUse || max(cap(t.line), cap(t.reply.Body), cap(t.recorded.Response)) > maxPooled {
		return
	}
	rec, line, body, recorded := t.Record, t.line[:0], t.reply.Body[:0], t.recorded
	rec.Reset()
	*t = task{Record: rec, line: line, reply: provider.Reply{Body: body}, recorded: recorded}
	tasks.Put(t)
}

// waits returns t's delays, which a record that never fails does without.
func (t *task) waits() *delays {
	if t.delays == nil {
		t.delays = newDelays()
	}
	return t.delays
}

// note counts the last attempt as one of a streak of failures.
func (t *task) note(s *limiter.Streak) {
	if t.streak != s {
		t.forgive()
		t.streak, t.inStreak = s, 0
	}
	t.inStreak++
}

// forgive gives back the attempts that turned out to be part of an outage.
func (t *task) forgive() {
	if t.streak.Opened() {
		t.attempts -= t.inStreak
		t.inLane -= t.inStreak
		t.inStreak = 0
	}
}

// title says which record t is, for messages.
func (t *task) title() string {
	if t.pack != nil {
		return t.packTitle()
	}
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

// fail turns t into an error line.
func (t *task) fail(err *record.Error) {
	t.outcome, t.err = failed, err
}

// recordedCost is what a recalled answer cost, in billionths of a dollar: nothing where another record of this run has its cost.
func (t *task) recordedCost() int64 {
	if t.twin {
		return 0
	}
	return t.recorded.CostNanos
}

// shardID names the shard that t was answered in; empty in realtime.
func (t *task) shardID() string {
	if t.shard == nil {
		return ""
	}
	return t.shard.id
}

// closeSpill ends the life of the temporary file, which has no name any more.
func (t *task) closeSpill() {
	if t.spill != nil {
		_ = t.spill.Close()
		t.spill = nil
	}
}

// copySpill writes the over-long line to w.
func (t *task) copySpill(w io.Writer) error {
	if _, err := t.spill.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, t.spill)
	return err
}
