package flow

import (
	"sync"
	"sync/atomic"
)

// Bounds on what lies between reading and the commit.
const (
	// maxOpenBytes bounds the lines that a gate lets the run hold, and the answers that come back from
	// the disk. A larger record passes when it is alone.
	maxOpenBytes = 32 << 20
	// maxAnswerBytes bounds the answers to records that are asked about, from their first bytes on,
	// also while the rest is still being read. That is enough for 18 answers of 5 MB at once, the size
	// of long lists of embeddings.
	maxAnswerBytes = 96 << 20
	// maxFileBytes bounds the bodies of requests with files in them: enough for 32 at once with a
	// picture of 5 MB each, in base64. A larger request is sent when it is alone.
	maxFileBytes = 208 << 20
	// commitSlack is how many finished records may wait for the commit in addition to those that are
	// being asked about: as many as arrive while a slow disk syncs.
	commitSlack = 256
	// maxAsleep is how many records may sleep before a further attempt without holding reading back.
	// If one in twenty is refused for a minute, at 600 a second, 1,800 are asleep.
	maxAsleep = 4096
)

// Gate counts the records between reading and the commit, and holds reading back. Only the gate
// keeps track of the size of a task, and so it alone keeps memory from growing with the input.
type Gate struct {
	allowed func() int // the concurrency that the limiters allow now
	room    int64      // for answers, in bytes

	expected atomic.Int64 // how many answers fit into room; 0 before the first
	mu       sync.Mutex
	changed  *sync.Cond
	asks     int   // to be asked: queued, in flight or asleep
	asleep   int   // of them
	most     int   // the bound on asks at the last look
	open     int   // read and not committed
	bytes    int64 // of the open ones' lines
	answers  int64 // bytes of what came back for them
	size     int64 // expected of an answer, in bytes; 0 before the first
	loaded   int64 // bytes of recorded results that were read back for them
	files    int64 // bytes of the files in requests that are out
	closed   bool
	held     int // goroutines that wait for room
	idling   int // goroutines that wait until nothing is open
}

func newGate(allowed func() int, room int64) *Gate {
	g := &Gate{allowed: allowed, room: room}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// Enter waits for room and counts t in. Once the gate is closed, it no longer waits and returns
// false. Records that need no asking (bad lines, recorded results) pass no matter how many records
// are in flight.
func (g *Gate) Enter(t *Task, ask bool) bool {
	t.size, t.ask = int64(len(t.Buffer)), ask
	return g.count(1, t.size, ask)
}

// EnterAll is Enter for a chain of records whose results are recorded.
func (g *Gate) EnterAll(c Chain) {
	for t := c.First; t != nil; t = t.next {
		t.size = int64(len(t.Buffer))
	}
	g.count(c.n, c.bytes, false)
}

// EnterEmpty counts t in without its bytes. It is for callers that hold one record at a time, which
// must not take room from others.
func (g *Gate) EnterEmpty(t *Task) {
	t.size = 0
	g.count(1, 0, false)
}

func (g *Gate) count(records int, bytes int64, ask bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held++
	for !g.closed && g.full(bytes, ask) {
		g.changed.Wait()
	}
	g.held--
	g.open += records
	g.bytes += bytes
	if ask {
		g.asks += records
	}
	return !g.closed
}

// Ask notes that t, which entered as one that needs no asking, is to be asked about after all.
func (g *Gate) Ask(t *Task) {
	t.ask = true
	g.mu.Lock()
	g.asks++
	g.mu.Unlock()
}

// AskAgain notes that t, whose answer came back and is discarded, is to be asked about again.
func (g *Gate) AskAgain(t *Task) {
	t.ask = true
	g.mu.Lock()
	g.asks++
	g.answers -= t.answer
	g.mu.Unlock()
	t.answer = 0
}

// Spare undoes Enter's asking, Ask or AskAgain for t: it is not to be asked about after all.
func (g *Gate) Spare(t *Task) { g.answered(t) }

func (g *Gate) full(bytes int64, ask bool) bool {
	if g.open == 0 {
		return false
	}
	held := g.bytes + g.loaded
	if held > 0 && held+bytes > maxOpenBytes {
		return true
	}
	expected := g.answers
	if ask && g.size > 0 {
		expected += int64(g.asks-min(g.asleep, g.asks)+1) * g.size
	}
	if expected > g.room && (g.answers > 0 || g.asks > 0) {
		return true
	}
	if !ask && g.open < commitSlack { // whatever is allowed
		return false
	}
	allowed := g.allowed()
	g.most = 2 * allowed
	asleep := min(g.asleep, maxAsleep)
	return ask && g.asks-asleep >= g.most || g.open-asleep >= 4*allowed+commitSlack
}

// Sleep notes that so many of the records that are to be asked about are asleep. Wake notes that
// they no longer are.
func (g *Gate) Sleep(records int) {
	g.mu.Lock()
	g.asleep += records
	wake := g.roomy()
	g.mu.Unlock()
	if wake {
		g.changed.Broadcast()
	}
}

// Wake is the opposite of Sleep.
func (g *Gate) Wake(records int) {
	g.mu.Lock()
	g.asleep -= records
	g.mu.Unlock()
}

// roomy reports whether somebody waits for room and a quarter of it is free. To wake the reader for
// each record would cost more than the rest of its work, and the records let in by then still
// outnumber those that may be in flight.
func (g *Gate) roomy() bool {
	return g.held > 0 && 4*(g.most-g.asks+min(g.asleep, maxAsleep)) >= g.most
}

// load waits for room for the recorded results of a chain, and counts them in. Recorded results may
// take half of maxOpenBytes; a chain that is alone always has room.
func (g *Gate) load(c Chain) {
	for t := c.First; t != nil; t = t.next {
		t.loaded = int64(len(t.Recorded.Response))
	}
	bytes := c.bytes
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held++
	for g.loaded > 0 && g.loaded+bytes > maxOpenBytes/2 {
		g.changed.Wait()
	}
	g.held--
	g.loaded += bytes
}

// answered notes that t, if it was asked about, now waits only for the commit. It also counts t's
// answer: the size of earlier answers says how much room later ones need.
func (g *Gate) answered(t *Task) {
	if !t.ask {
		return
	}
	bytes := int64(len(t.Reply.Body))
	t.answer += bytes
	t.ask = false
	g.mu.Lock()
	g.asks--
	g.answers += bytes
	if t.Outcome == Answered {
		g.expect(bytes)
	}
	wake := g.roomy()
	g.mu.Unlock()
	if wake {
		g.changed.Broadcast()
	}
}

// expect adds the size of an answer to the running mean of the last ones.
func (g *Gate) expect(bytes int64) {
	const last = 8
	if g.size == 0 {
		g.size = bytes
	}
	g.size += (bytes - g.size) / last
	if g.size > 0 {
		g.expected.Store(max(1, g.room/g.size))
	}
}

// Grow counts what came back for t, which is open.
func (g *Gate) Grow(t *Task) {
	bytes := int64(len(t.Reply.Body) + len(t.Recorded.Response))
	t.answer += bytes
	g.mu.Lock()
	g.answers += bytes
	g.mu.Unlock()
}

// departure is a group of records that leave a gate together.
type departure struct {
	records                int
	bytes, answers, loaded int64
}

func (d *departure) add(t *Task) {
	d.records++
	d.bytes += t.size
	d.answers += t.answer
	d.loaded += t.loaded
}

// Hold waits for room for so many bytes of files in a request that is about to be sent, and counts
// them in. [Gate.Drop] counts them out. Once the gate is closed, Hold no longer waits, and returns
// false.
func (g *Gate) Hold(bytes int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for !g.closed && g.files > 0 && g.files+bytes > maxFileBytes {
		g.changed.Wait()
	}
	if !g.closed {
		g.files += bytes
	}
	return !g.closed
}

// Drop counts out what was held.
func (g *Gate) Drop(bytes int64) {
	g.mu.Lock()
	g.files -= bytes
	g.mu.Unlock()
	g.changed.Broadcast()
}

// leave counts committed records out.
func (g *Gate) leave(d departure) {
	if d == (departure{}) {
		return
	}
	g.mu.Lock()
	g.open -= d.records
	g.bytes -= d.bytes
	g.answers -= d.answers
	g.loaded -= d.loaded
	g.mu.Unlock()
	g.changed.Broadcast()
}

// LetGo counts out a record that is on disk now, and ends its life.
func (g *Gate) LetGo(t *Task) {
	var d departure
	d.add(t)
	t.Recycle()
	g.leave(d)
}

// Allowed is how many records may be in flight now.
func (g *Gate) Allowed() int { return g.allowed() }

// Waiting returns how many records are to be asked: queued, in flight or asleep.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asks
}

// Starved reports whether nothing more will come in before some records have been asked about: the
// reader waits until all is committed, or for room that only the packed records can make.
func (g *Gate) Starved(packed int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.idling > 0 || g.held > 0 && int64(g.asks) <= packed
}

// Idle waits until every record that entered has left.
func (g *Gate) Idle() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idling++
	for g.open > 0 {
		g.changed.Wait()
	}
	g.idling--
}

// close lets everybody in at once, now and later.
func (g *Gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.changed.Broadcast()
}
