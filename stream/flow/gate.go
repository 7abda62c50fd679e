package flow

import "sync"

// Bounds on what lies between reading and the commit.
const (
	// maxOpenBytes is how many bytes of lines and answers a gate lets be held. What is larger than
	// this, and comes at once, still passes alone.
	maxOpenBytes = 32 << 20
	// commitSlack is how many finished records may wait for the commit beyond what is asked: as many
	// as come in while a slow disk syncs.
	commitSlack = 256
)

// Gate counts the records between reading and the commit, and holds reading back. It is where
// "memory does not grow with the input" is kept.
type Gate struct {
	allowed func() int // the concurrency that the limiters allow now

	mu      sync.Mutex
	changed *sync.Cond
	asks    int   // to be asked: queued, in flight or asleep
	most    int   // of them, when room was looked for last
	open    int   // read and not committed
	bytes   int64 // of the open ones
	loaded  int64 // bytes of recorded results that were read back for them
	closed  bool
	held    int // goroutines that wait for room
	idling  int // goroutines that wait until nothing is open
}

func newGate(allowed func() int) *Gate {
	g := &Gate{allowed: allowed}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// Enter counts t in once there is room, and at once when the gate is closed, which it reports by
// false. Records that are not to be asked (bad lines, recorded results) pass whatever is in flight.
func (g *Gate) Enter(t *Task, ask bool) bool {
	t.size, t.ask = int64(len(t.Buffer)), ask
	return g.count(1, t.size, ask)
}

// EnterAll is enter for a chain of records whose results are recorded.
func (g *Gate) EnterAll(c Chain) {
	for t := c.First; t != nil; t = t.next {
		t.size = int64(len(t.Buffer))
	}
	g.count(c.n, c.bytes, false)
}

// EnterEmpty counts t in without its bytes: where one record is held at a time, it must not take
// room from others.
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

// Ask notes that t, which entered otherwise, is to be asked after all.
func (g *Gate) Ask(t *Task) {
	t.ask = true
	g.mu.Lock()
	g.asks++
	g.mu.Unlock()
}

func (g *Gate) full(bytes int64, ask bool) bool {
	if g.open == 0 {
		return false
	}
	held := g.bytes + g.loaded
	if held > 0 && held+bytes > maxOpenBytes {
		return true
	}
	if !ask && g.open < commitSlack { // whatever is allowed
		return false
	}
	allowed := g.allowed()
	g.most = 2 * allowed
	return ask && g.asks >= g.most || g.open >= 4*allowed+commitSlack
}

// load counts in the recorded results of a chain, once there is room for them beside the others.
// Half of what may be held is theirs; whatever is alone has room.
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

// answered notes that t, if it was to be asked, waits for the commit alone, with the answer that it
// has. Reading goes on when there is room for several: to wake it for each costs more than the rest
// of its work. At a quarter, what was let in is still more than may be in flight.
func (g *Gate) answered(t *Task) {
	if !t.ask {
		return
	}
	bytes := int64(len(t.Reply.Body))
	t.size += bytes
	t.ask = false
	g.mu.Lock()
	g.asks--
	g.bytes += bytes
	wake := g.held > 0 && 4*(g.most-g.asks) >= g.most
	g.mu.Unlock()
	if wake {
		g.changed.Broadcast()
	}
}

// Grow notes that t, which is open, holds what came back for it too.
func (g *Gate) Grow(t *Task) {
	bytes := int64(len(t.Reply.Body) + len(t.Recorded.Response))
	t.size += bytes
	g.mu.Lock()
	g.bytes += bytes
	g.mu.Unlock()
}

// departure adds up what leaves a gate at once.
type departure struct {
	records       int
	bytes, loaded int64
}

func (d *departure) add(t *Task) {
	d.records++
	d.bytes += t.size
	d.loaded += t.loaded
}

// leave notes that records were committed.
func (g *Gate) leave(d departure) {
	if d == (departure{}) {
		return
	}
	g.mu.Lock()
	g.open -= d.records
	g.bytes -= d.bytes
	g.loaded -= d.loaded
	g.mu.Unlock()
	g.changed.Broadcast()
}

// LetGo ends the life of a record that is on disk.
func (g *Gate) LetGo(t *Task) {
	var d departure
	d.add(t)
	t.Recycle()
	g.leave(d)
}

// Waiting returns how many records are queued, in flight or asleep.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asks
}

// Starved reports whether nothing more comes in before some of what is to be asked has been:
// reading waits for everything to be committed, or for room that none but so many packed records
// can make.
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

// close makes nobody wait any more.
func (g *Gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.changed.Broadcast()
}
