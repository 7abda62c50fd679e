package lane

import (
	"context"
	"time"

	"llmpipe/ledger"
	"llmpipe/limiter"
	"llmpipe/stream/flow"
)

// What is asked about is at risk in the ledger first: so other processes leave the record alone,
// the budget counts it in all of them, and a run that is killed leaves what it may have spent
// behind. A line is for a group: for the new records that go in about the next ten milliseconds,
// and for whatever else wants to go while a line is written.

// aheadTime is how long a record may be at risk before it has a permit, and mostAhead how many may.
const (
	aheadTime = 10 * time.Millisecond
	mostAhead = 64
)

// ahead claims new records in groups. It belongs to the worker that leads.
type ahead struct {
	ready  []*Request // claimed, not yet placed
	size   int        // of the next group
	since  time.Time  // when the last one was claimed
	claims []ledger.Claim
}

// next takes the first request that is ready.
func (a *ahead) next() *Request {
	if len(a.ready) == 0 {
		return nil
	}
	q := a.ready[0]
	a.ready[0] = nil
	a.ready = a.ready[1:]
	return q
}

// adapt sets the size of the next group by how long the last one took to go.
func (a *ahead) adapt(now time.Time) {
	took := now.Sub(a.since)
	a.since = now
	switch {
	case took < aheadTime/2:
		a.size = min(2*max(a.size, 1), mostAhead)
	case took > aheadTime:
		a.size = max(a.size/2, 1)
	}
}

// fetch waits for new records, claims those that have come, and returns false if ctx ends first. If
// records go so slowly that a group is a single record, the record is claimed once it has its
// permit.
func (w *workers) fetch(ctx context.Context) bool {
	a, l := &w.ahead, w.lanes
	t := take(ctx, l.fresh)
	if t == nil {
		return false
	}
	a.ready = append(a.ready[:0], l.take(t))
	if l.journal == nil {
		return true
	}
	a.adapt(time.Now())
	for len(a.ready) < a.size {
		select {
		case t := <-l.fresh:
			a.ready = append(a.ready, l.take(t))
			continue
		default:
		}
		break
	}
	if len(a.ready) > 1 && ctx.Err() == nil {
		w.claimAhead()
	}
	return true
}

// claimAhead claims the requests in ready and keeps those that may be sent. A request that does not
// fit the budget is claimed again when it has its permit.
func (w *workers) claimAhead() {
	a, l := &w.ahead, w.lanes
	first := l.all[0]
	if first.whyClosed() != nil {
		first = l.Current()[0]
	}
	a.claims = a.claims[:0]
	for _, q := range a.ready {
		if first.Prepare(q, true); first.worst(q) == nil {
			a.claims = q.claims(a.claims)
		}
	}
	if _, err := l.journal.Claim(a.claims); err != nil {
		l.flow.Stop.Fail(err)
		return // nothing goes without: placing finishes them
	}
	claims, kept := a.claims, a.ready[:0]
	for _, q := range a.ready {
		if len(claims) == 0 || claims[0].Key != q.tasks[0].Key {
			kept = append(kept, q) // it has no price
			continue
		}
		if q = l.accept(q, claims[:1]); q != nil {
			kept = append(kept, q)
		}
		claims = claims[1:]
	}
	clear(a.ready[len(kept):])
	a.ready = kept
}

// worst computes the most that q can cost in this lane.
func (l *Lane) worst(q *Request) (err error) {
	q.bill.worst, q.bill.priced, err = l.lanes.account.Worst(q.Charge())
	return err
}

// risk is what all attempts at q's i-th record can cost, the next included.
func (q *Request) risk(i int, next int64) int64 {
	all := q.bill.cost + q.bill.mayCost + next
	if q.pack == nil || all == 0 {
		return all
	}
	return q.shares().Of(all, i, i+1)
}

// claims appends q's claims.
func (q *Request) claims(to []ledger.Claim) []ledger.Claim {
	for i, t := range q.tasks {
		c := ledger.Claim{}
		c.Key, c.Nanos, c.Known, c.Not = t.Key, q.risk(i, q.bill.worst), q.bill.priced, t.Ref
		to = append(to, c)
	}
	return to
}

// secured reports whether the ledger knows what the next attempt at q can cost.
func (q *Request) secured() bool {
	for i, t := range q.tasks {
		if r := &t.Risk; !r.Flying || r.Priced != q.bill.priced || r.Nanos < q.risk(i, q.bill.worst) {
			return false
		}
	}
	return true
}

// accept acts on the results of q's claims. It returns the part of q that is to be placed, nil for
// none.
func (l *Lanes) accept(q *Request, claims []ledger.Claim) *Request {
	gone := 0
	for i, t := range q.tasks {
		switch c := &claims[i]; c.Found {
		case ledger.Free:
			t.Risk = flow.Risk{Held: true, Flying: true, Priced: c.Known, Nanos: c.Nanos}
		case ledger.OverBudget:
		default:
			gone++
		}
	}
	if gone == 0 {
		return q
	}
	if len(q.tasks) == 1 {
		l.giveUp(q, claims[0].Found)
		return nil
	}
	var kept []int
	for i := range q.tasks {
		if found := claims[i].Found; found == ledger.Free || found == ledger.OverBudget {
			kept = append(kept, i)
		} else {
			l.giveUp(q.parts(i), found)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return q.parts(kept...)
}

// giveUp disposes of a request whose claim says that it must not be sent.
func (l *Lanes) giveUp(q *Request, found ledger.Claimed) {
	switch found {
	case ledger.Answered:
		l.resume(q)
	case ledger.Asked:
		l.neighbours.add(q)
	default:
		l.flow.Counts.Elsewhere.Add(1)
		l.finish(q)
	}
}

// secure makes sure that the ledger has q at risk before q is sent. If it cannot, it drops the
// permit; q must then be placed again if again is true, and otherwise somebody else has it.
func (l *Lanes) secure(ctx context.Context, q *Request, permit *limiter.Permit) (goes, again bool) {
	if l.journal == nil || q.secured() {
		return true, false
	}
	changed := l.journal.Changed()
	claims := q.claims(make([]ledger.Claim, 0, len(q.tasks)))
	room, err := l.journal.Claim(claims)
	if err != nil {
		permit.Drop()
		l.flow.Stop.Fail(err)
		l.finish(q)
		return false, false
	}
	rest := l.accept(q, claims)
	if rest == q && q.secured() {
		return true, false
	}
	permit.Drop()
	if rest == nil {
		return false, false
	}
	if rest != q {
		l.anew(rest)
		return false, false
	}
	l.account.Committed(l.journal.Spent())
	if err := l.account.NoRoom(room, q.risk(0, q.bill.worst)); err != nil {
		l.unplaced(q, err)
		return false, false
	}
	if !l.pause(ctx, changed) {
		l.finish(q)
		return false, false
	}
	return false, true
}

// pause waits until the ledger may have changed, and returns false if ctx ends first.
func (l *Lanes) pause(ctx context.Context, changed <-chan struct{}) bool {
	select {
	case <-changed:
	case <-time.After(LookAgain):
	case <-ctx.Done():
		return false
	}
	return true
}

// rest notes that q waits before its next attempt: of those so far only what they may have cost is
// at risk.
func (l *Lanes) rest(q *Request) {
	for i, t := range q.tasks {
		if !t.Risk.Flying {
			continue
		}
		kept := q.risk(i, 0)
		l.journal.Rest(ledger.AtRisk{Key: t.Key, Nanos: kept, Known: true})
		t.Risk = flow.Risk{Held: kept > 0, Priced: true, Nanos: kept}
	}
}
