package lane

import (
	"context"
	"sync"
	"time"

	"llmpipe/stream/journal"
)

// neighbours holds the requests that wait for other processes of the same ledger: for records that
// those have in flight, and for their part of the budget. A waiting request holds neither a worker
// nor a permit, and leaves room at the gate as a sleeper does.
type neighbours struct {
	lanes *Lanes
	poke  chan struct{}
	told  sync.Once

	mu      sync.Mutex
	waiting []*Request // of one record each
	closed  bool
}

// How often the ledger is read for what other processes have done: while a request waits for that,
// and otherwise.
const (
	lookAtOthers = 25 * time.Millisecond
	lookIdly     = 250 * time.Millisecond
)

// add makes q wait until the record is answered, or no other process has it in flight.
func (n *neighbours) add(q *Request) {
	n.told.Do(func() {
		n.lanes.flow.Voice.Note("another process has sent %s: this run waits for that answer, and for others like it", q)
	})
	n.mu.Lock()
	closed := n.closed
	if !closed {
		n.waiting = append(n.waiting, q)
		n.lanes.flow.Gate.Sleep(1)
	}
	n.mu.Unlock()
	if closed {
		n.lanes.finish(q)
		return
	}
	select {
	case n.poke <- struct{}{}:
	default:
	}
}

// tend reads the ledger until ctx ends, and then finishes the requests that wait.
func (n *neighbours) tend(ctx context.Context) {
	defer n.close()
	timer := time.NewTimer(lookIdly)
	defer timer.Stop()
	for {
		select {
		case <-n.poke:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if err := n.lanes.journal.WriteRests(); err != nil {
			n.lanes.flow.Stop.Fail(err)
			continue
		}
		next := lookIdly
		if n.waits() || n.lanes.account.Shared() {
			next = lookAtOthers
			spent, err := n.lanes.journal.CatchUp()
			if err != nil {
				n.lanes.flow.Stop.Fail(err)
				continue
			}
			n.lanes.account.Committed(spent)
			n.look()
		}
		timer.Reset(next)
	}
}

func (n *neighbours) waits() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.waiting) > 0
}

// look sends on the requests whose wait is over: to the commit if there is an answer, otherwise to
// a lane.
func (n *neighbours) look() {
	l := n.lanes.journal.Ledger
	n.mu.Lock()
	kept, over := n.waiting[:0], []*Request(nil)
	for _, q := range n.waiting {
		if l.Asked(q.tasks[0].Key) {
			kept = append(kept, q)
		} else {
			over = append(over, q)
		}
	}
	clear(n.waiting[len(kept):])
	n.waiting = kept
	n.mu.Unlock()
	for _, q := range over {
		n.lanes.flow.Gate.Wake(1)
		n.lanes.resume(q)
	}
}

// resume goes on with a request that may have a recorded answer by now.
func (l *Lanes) resume(q *Request) {
	t := q.tasks[0]
	if !l.journal.Recall(t, l.journal.Ledger.Look(t.Key)) {
		if t.Misfit() {
			q = l.take(t)
		}
		l.anew(q)
		return
	}
	l.flow.GateOf(t).Grow(t)
	l.finish(q)
}

func (n *neighbours) close() {
	n.mu.Lock()
	left := n.waiting
	n.waiting, n.closed = nil, true
	n.mu.Unlock()
	for _, q := range left {
		n.lanes.flow.Gate.Wake(1)
		n.lanes.finish(q)
	}
}

// newNeighbours makes a neighbours; j is nil without a ledger.
func newNeighbours(l *Lanes, j *journal.Journal) *neighbours {
	l.journal = j
	return &neighbours{lanes: l, poke: make(chan struct{}, 1)}
}
