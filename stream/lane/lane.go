package lane

import (
	"sync"
	"sync/atomic"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// Lane is one provider with the limiter that holds its requests back.
type Lane struct {
	lanes *Lanes
	Host  *flow.Host
	tier  int    // its place in the order of preference, which it may share with others
	model string // replaces the model that a record names; empty to keep that
	base  string // the client's base URL
	key   string // the client's, for the message where it is not accepted; empty for none
	Pace  *limiter.Limiter

	trouble  atomic.Pointer[record.Error] // the last failure that may pass
	foreign  atomic.Int32                 // answers that came from no API, before the first that did
	told     told
	others   others
	patience patience

	mu     sync.Mutex
	closed error         // why nothing is sent here for now; nil while the lane is open
	until  time.Time     // when one record may try again; zero for never
	shutAt time.Time     // answers to what was sent before do not open the lane
	hold   time.Duration // how long it was closed the last time
}

// How long a lane stays closed after its provider ran out of quota, before one record tries again:
// people top up their accounts.
const (
	firstClosed = time.Minute
	mostClosed  = 10 * time.Minute
)

// usable reports whether a record may go to this lane now. A closed lane whose time is over takes a
// single record, as a trial.
func (l *Lane) usable(now time.Time) (ok, trial bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed == nil:
		return true, false
	case l.until.IsZero() || now.Before(l.until):
		return false, false
	}
	l.until = now.Add(l.hold)
	return true, true
}

// shut closes the lane, for good or for a while.
func (l *Lane) shut(why error, forGood bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.closed == nil
	l.closed, l.shutAt = why, time.Now()
	if forGood {
		l.until = time.Time{}
	} else {
		l.hold = min(max(2*l.hold, firstClosed), mostClosed)
		l.until = time.Now().Add(l.hold)
	}
	l.Pace.Shut(true)
	if first && len(l.lanes.all) > 1 { // else it is why the run ends
		l.lanes.flow.Voice.Warn("%s: this provider gets no more requests: %v", l.Host.Name, why)
		if h := ui.HintOf(why); h != "" {
			l.lanes.flow.Voice.Hint("%s", h)
		}
	}
}

// stayShut keeps a lane that was shut for a while closed until its quota returns, if that time is
// known.
func (l *Lane) stayShut(wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.until.IsZero() && wait > 0 {
		l.until = time.Now().Add(wait)
	}
}

// reopen opens the lane after an answer to what was sent at sent, unless it was shut since, or for
// good.
func (l *Lane) reopen(sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil && !l.until.IsZero() && sent.After(l.shutAt) {
		l.closed, l.hold = nil, 0
		l.Pace.Shut(false)
		l.lanes.flow.Voice.Note("%s answers again", l.Host.Name)
	}
}

// whyClosed is why nothing is sent here; nil while the lane is open.
func (l *Lane) whyClosed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// Prepare makes q a request to this lane's provider. A new request may go to the cheaper model that
// the budget asks for.
func (l *Lane) Prepare(q *Request, fresh bool) {
	if fresh {
		if to := l.lanes.account.Lower(q.Record, q); to != "" {
			q.lowered = to
		}
	}
	q.address(l.Host, l.model)
}
