package limiter

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// ErrOverBudget is what Acquire returns once a request's worst case does not fit a budget with
// nothing in flight. It is final for the limiter. The error itself is an *OverBudget.
var ErrOverBudget = errors.New("over budget")

// OverBudget says which budget has no room, and for what.
type OverBudget struct {
	Budget *Budget
	Left   int64 // billionths of a US dollar
	Need   int64 // the worst case of the request that was refused
	// Away is the part of Left that is set aside for work elsewhere. There may be room when that work
	// is over. If Away is 0, there will be none.
	Away int64
	Lent bool // Away is lent to processes of a Lease that are gone, until their ledgers are resumed
}

func (e *OverBudget) Error() string {
	left, need := float64(max(e.Left, 0))/1e9, float64(e.Need)/1e9
	if e.Away > 0 {
		return fmt.Sprintf("no room in the budget: %.6f USD left, %.6f of it set aside for requests elsewhere, the next request may cost %.6f",
			left, float64(e.Away)/1e9, need)
	}
	return fmt.Sprintf("%v: %.6f USD left, the next request may cost %.6f", ErrOverBudget, left, need)
}

// Is makes errors.Is(err, ErrOverBudget) true.
func (e *OverBudget) Is(target error) bool { return target == ErrOverBudget }

// Colour is how far a budget is used, by what has been settled.
type Colour int

// The colours.
const (
	Green  Colour = iota
	Yellow        // from four fifths on
	Red           // all of it, or too little left for the next request
)

func (c Colour) String() string { return [...]string{"green", "yellow", "red"}[c] }

// A Lease is the part of a budget that is lent to this process, if others have parts of it too. Its
// methods are called with a budget's mutex held, and must not call back.
type Lease interface {
	// Most is how much may be spent and set aside by now, including what is spent already, in
	// billionths of a US dollar.
	Most(now time.Time) int64
	// Want asks for room for a request of that cost. It returns nil if more may be lent; a call of
	// [Budget.Lent] tells that then. Otherwise it returns why no more will be lent.
	Want(cost int64) *OverBudget
}

// Budget is an amount of money that limits requests; several lanes may share one. Before a request
// is sent, its worst case is reserved. When it is settled, its cost replaces the reservation. So
// what is spent and reserved together never exceeds the limit, provided that no request costs more
// than its worst case. [Permit.Raise] raises a worst case that turns out to be too low.
//
// Every reservation ends sooner or later, and whoever waits for room counts on that. Money for work
// whose end this process does not see is handed over by [Leave]. It stays set aside, but nobody
// waits for it.
//
// All amounts are in billionths of a US dollar. A Budget is safe for concurrent use.
type Budget struct {
	limit int64

	mu       sync.Mutex
	spent    int64     // settled
	inFlight int64     // reserved for requests
	held     int64     // reserved by Hold and HoldAnyway
	away     int64     // set aside for what goes on elsewhere
	kept     int64     // for attempts whose cost was not reported
	asked    int64     // for what others have under way, which this process sees the end of
	rest     int64     // for what others hold otherwise
	red      bool      // a request did not fit with nothing reserved
	lease    Lease     // nil: all of it is this process's
	beside   int64     // spent by others that it is lent to
	renewed  time.Time // spent counts from here on; zero: from the beginning
	lanes    []*Limiter
}

// NewBudget returns a budget of limit, of which spent is already spent.
func NewBudget(limit, spent int64) *Budget {
	return &Budget{limit: limit, spent: spent}
}

// NewDailyBudget returns a budget of limit for a day that began at midnight, and for each that
// follows 24 hours later. Of the first one spent has been spent. Whose midnight it is, is the
// caller's to say.
func NewDailyBudget(limit, spent int64, midnight time.Time) *Budget {
	return &Budget{limit: limit, spent: spent, renewed: midnight}
}

// Borrow limits this process to the part of the budget that is lent to it. It must be called before
// the first request.
func (b *Budget) Borrow(l Lease) { b.lease = l }

// Lent says that the lease may have changed, that others have spent beside, and that limit is the
// whole budget of all processes.
func (b *Budget) Lent(beside, limit int64) {
	b.mu.Lock()
	b.beside, b.limit = beside, limit
	b.mu.Unlock()
	b.wake(nil)
}

// Borrowed returns how much of the budget counts as this process's. spent is what was spent. kept
// is that and what is set aside for longer than requests take. most is that and everything else
// that is set aside.
func (b *Budget) Borrowed(now time.Time) (spent, kept, most int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.renew(now)
	spent = b.spent + b.kept
	kept = spent + b.away + b.rest
	return spent, kept, kept + b.inFlight + b.held + b.asked
}

// Limit is the whole amount.
func (b *Budget) Limit() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit
}

// Daily reports whether the budget is renewed every day.
func (b *Budget) Daily() bool { return !b.renewed.IsZero() }

// Spent is what has been settled, and what is kept for attempts whose cost was not reported. It
// includes other processes that the budget is lent to.
func (b *Budget) Spent() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent + b.kept + b.beside
}

// Colour says how far the budget is used.
func (b *Budget) Colour() Colour {
	b.mu.Lock()
	defer b.mu.Unlock()
	const yellowNum, yellowDenom = 4, 5
	switch spent := b.spent + b.beside; {
	case b.red || spent >= b.limit:
		return Red
	case spent >= b.limit/yellowDenom*yellowNum:
		return Yellow
	}
	return Green
}

// Spend counts money that was spent outside this budget, such as by another process of the same
// ledger.
func (b *Budget) Spend(nanos int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent += nanos
}

// Hold sets cost aside for work that no limiter asks for, such as a batch, in all of the budgets or
// in none. It reports whether there was room. If nothing is reserved that could make room, the
// error is an *[OverBudget]. That is final unless its Away says otherwise.
func Hold(all []*Budget, cost int64, now time.Time) (bool, error) {
	return budgets(all).reserve(cost, now, nil)
}

// HoldAnyway sets cost aside whether or not there is room, for work that began before the budgets
// were made.
func HoldAnyway(all []*Budget, cost int64) {
	for _, b := range all {
		b.mu.Lock()
		b.held += cost
		b.mu.Unlock()
	}
}

// Release replaces what was held with what was spent.
func Release(all []*Budget, held, cost int64) {
	budgets(all).settle(held, cost, false, nil)
}

// Keep counts as spent the most that held work can have cost, since its real cost is unknown.
func Keep(all []*Budget, nanos int64) {
	for _, b := range all {
		b.mu.Lock()
		b.kept += nanos
		b.mu.Unlock()
	}
}

// Overdrawn reports whether more is spent and set aside in one of the budgets than it has.
// HoldAnyway can bring that about, or a request that costs more than its worst case.
func Overdrawn(all []*Budget) bool {
	for _, b := range all {
		b.mu.Lock()
		over := b.spent+b.kept+b.beside+b.inFlight+b.held+b.away+b.asked+b.rest > b.limit
		b.mu.Unlock()
		if over {
			return true
		}
	}
	return false
}

// Leave says that the held work goes on elsewhere. Its money stays set aside, and this process no
// longer waits for it.
func Leave(all []*Budget, held int64) {
	for _, b := range all {
		b.mu.Lock()
		b.held -= held
		b.away += held
		b.mu.Unlock()
		b.wake(nil) // those who counted on it
	}
}

// Left is the least that one of the budgets has left. What is set aside counts as left.
func Left(all []*Budget) int64 {
	left := int64(math.MaxInt64)
	for _, b := range all {
		left = min(left, b.Limit()-b.Spent())
	}
	return max(left, 0)
}

// InFlight reports whether something is reserved for requests in one of the budgets.
func InFlight(all []*Budget) bool {
	return slices.ContainsFunc(all, func(b *Budget) bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.inFlight > 0
	})
}

// Elsewhere reports whether money is set aside in one of the budgets for work that goes on
// elsewhere.
func Elsewhere(all []*Budget) bool {
	return slices.ContainsFunc(all, func(b *Budget) bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.away+b.asked+b.rest > 0
	})
}

// UseUp says that the rest of the budgets cannot be used.
func UseUp(all []*Budget) {
	for _, b := range all {
		b.mu.Lock()
		b.red = true
		b.mu.Unlock()
	}
}

// Others says what others hold of the budget. asked is for requests that they have under way: this
// process waits for the end of those, and a later call of Others tells it. rest is for what goes on
// for longer.
func (b *Budget) Others(asked, rest int64) {
	b.mu.Lock()
	room := asked+rest < b.asked+b.rest || asked == 0 && b.asked > 0
	b.asked, b.rest = asked, rest
	b.mu.Unlock()
	if room {
		b.wake(nil)
	}
}

// Held reports whether money is set aside by Hold or HoldAnyway, which will be released sooner or
// later.
func (b *Budget) Held() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held > 0
}

// Shared reports whether others hold anything of the budget.
func (b *Budget) Shared() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked+b.rest > 0
}

// join makes the budget wake l when there may be room again.
func (b *Budget) join(l *Limiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lanes = append(b.lanes, l)
}

// reserve sets cost aside if there is room for it. It is for a request of from or, if from is nil,
// held. If there is no room, over says why nothing that is reserved will make any; it is nil if
// something may.
func (b *Budget) reserve(cost int64, now time.Time, from *Limiter) (fits bool, over *OverBudget) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.renew(now)
	left := b.limit
	if b.lease != nil {
		left = b.lease.Most(now)
	}
	left -= b.spent + b.kept
	var none *OverBudget // why no more will be lent
	switch reserved, away := b.inFlight+b.held, b.away+b.rest; {
	case b.red:
		return false, &OverBudget{Budget: b, Left: left, Need: cost}
	case reserved+b.asked+away+cost <= left:
		*b.share(from) += cost
		return true, nil
	case b.lends(cost, &none):
		return false, nil
	case reserved == 0 && b.asked > 0:
		return false, nil
	case reserved > 0:
		if b.inFlight == 0 && from != nil && from.short != nil {
			from.short()
		}
		return false, nil
	case none != nil:
		none.Budget, b.red = b, none.Away == 0
		return false, none
	case cost <= left:
		return false, &OverBudget{Budget: b, Left: left, Need: cost, Away: away}
	}
	b.red = true
	return false, &OverBudget{Budget: b, Left: left, Need: cost}
}

// lends reports whether more may be lent; none says why not.
func (b *Budget) lends(cost int64, none **OverBudget) bool {
	if b.lease == nil {
		return false
	}
	*none = b.lease.Want(cost)
	return *none == nil
}

// share returns the sum in which a reservation for from counts.
func (b *Budget) share(from *Limiter) *int64 {
	if from == nil {
		return &b.held
	}
	return &b.inFlight
}

// renew starts a daily budget's next day. What is in flight then stays reserved.
func (b *Budget) renew(now time.Time) {
	if b.renewed.IsZero() {
		return
	}
	const day = 24 * time.Hour
	if passed := now.Sub(b.renewed).Truncate(day); passed >= day {
		b.renewed, b.spent, b.kept, b.beside = b.renewed.Add(passed), 0, 0, 0
	}
}

// wake has lanes other than from look again.
func (b *Budget) wake(from *Limiter) {
	b.mu.Lock()
	lanes := b.lanes
	b.mu.Unlock()
	for _, l := range lanes {
		if l != from {
			// Not by a plain call: from's mutex is held.
			l.clock.AfterFunc(0, l.tick)
		}
	}
}

// settle replaces a reservation with what was spent. If it is unclear what that was, the whole
// reservation counts as spent. Lanes other than from may then have room.
func (b *Budget) settle(reservation, cost int64, unclear bool, from *Limiter) {
	b.mu.Lock()
	*b.share(from) -= reservation
	if unclear {
		b.kept += reservation
	} else {
		b.spent += cost
	}
	b.mu.Unlock()
	b.wake(from)
}

// budgets are all that hold one limiter's requests back.
type budgets []*Budget

// reserve sets cost aside in all of them or in none. Looking and reserving are one step, because
// other lanes do the same. If there is no room it reports false, with an error if no settlement
// will make any.
func (all budgets) reserve(cost int64, now time.Time, from *Limiter) (bool, error) {
	for i, b := range all {
		fits, over := b.reserve(cost, now, from)
		if fits {
			continue
		}
		for _, earlier := range all[:i] {
			earlier.settle(cost, 0, false, from)
		}
		if over != nil {
			return false, over
		}
		return false, nil
	}
	return true, nil
}

// raise sets more aside for what is in flight, room or not.
func (all budgets) raise(more int64) {
	for _, b := range all {
		b.mu.Lock()
		b.inFlight += more
		b.mu.Unlock()
	}
}

func (all budgets) settle(reservation, cost int64, unclear bool, from *Limiter) {
	for _, b := range all {
		b.settle(reservation, cost, unclear, from)
	}
}
