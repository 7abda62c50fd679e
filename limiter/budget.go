package limiter

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrOverBudget is what Acquire returns once a request's worst case does not fit a budget with nothing in flight. It is final for the
// limiter; the error in hand is an *OverBudget.
var ErrOverBudget = errors.New("over budget")

// OverBudget says which budget has no room, and for what.
type OverBudget struct {
	Budget *Budget
	Left   int64 // billionths of a US dollar
	Need   int64 // the worst case of the request that was refused
}

func (e *OverBudget) Error() string {
	return fmt.Sprintf("%v: %.6f USD left, the next request may cost %.6f", ErrOverBudget, float64(e.Left)/1e9, float64(e.Need)/1e9)
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

// Budget is an amount of money that limiters hold requests back by; several lanes may share one. Before a request goes, its worst case is
// reserved; when it is settled, the reservation gives way to what it cost. So spent and reserved together never pass the limit,
// provided that no request costs more than its worst case.
//
// All amounts are in billionths of a US dollar. A Budget is safe for concurrent use.
type Budget struct {
	limit int64

	mu       sync.Mutex
	spent    int64     // settled
	reserved int64     // for what is in flight
	kept     int64     // for attempts whose cost nobody said
	red      bool      // a request did not fit with nothing in flight
	renewed  time.Time // spent counts from here on; zero: from ever
	lanes    []*Limiter
}

// NewBudget returns a budget of limit, of which so much is spent already.
func NewBudget(limit, spent int64) *Budget {
	return &Budget{limit: limit, spent: spent}
}

// NewDailyBudget returns a budget of limit for each day of UTC, of which so much is spent since the last midnight before now.
func NewDailyBudget(limit, spent int64, now time.Time) *Budget {
	return &Budget{limit: limit, spent: spent, renewed: now.UTC().Truncate(24 * time.Hour)}
}

// Limit is the whole amount.
func (b *Budget) Limit() int64 { return b.limit }

// Daily reports whether the budget is renewed every day.
func (b *Budget) Daily() bool { return !b.renewed.IsZero() }

// Spent is what has been settled, and what is kept for attempts whose cost nobody said.
func (b *Budget) Spent() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent + b.kept
}

// Colour says how far the budget is used.
func (b *Budget) Colour() Colour {
	b.mu.Lock()
	defer b.mu.Unlock()
	const yellowNum, yellowDenom = 4, 5
	switch {
	case b.red || b.spent >= b.limit:
		return Red
	case b.spent >= b.limit/yellowDenom*yellowNum:
		return Yellow
	}
	return Green
}

// Spend counts money that went another way, such as another process's under the same ledger.
func (b *Budget) Spend(nanos int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent += nanos
}

// Hold sets cost aside for what no limiter asks for, such as a batch, in all of the budgets or in none, and reports whether there was room.
// Where nothing is in flight that could make room, the error is an *[OverBudget], and final.
func Hold(all []*Budget, cost int64, now time.Time) (bool, error) {
	return budgets(all).reserve(cost, now, nil)
}

// HoldAnyway sets cost aside, room or not: what it is for is under way since before the budgets were made.
func HoldAnyway(all []*Budget, cost int64) {
	for _, b := range all {
		b.mu.Lock()
		b.reserved += cost
		b.mu.Unlock()
	}
}

// Release replaces what was held by what was spent.
func Release(all []*Budget, held, cost int64) {
	budgets(all).settle(held, cost, false, nil)
}

// join makes the budget wake l when there may be room again.
func (b *Budget) join(l *Limiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lanes = append(b.lanes, l)
}

// reserve sets cost aside if there is room for it. If not, never says that nothing is in flight that could give way.
func (b *Budget) reserve(cost int64, now time.Time) (fits, never bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.renew(now)
	if b.red {
		return false, true
	}
	if b.spent+b.kept+b.reserved+cost <= b.limit {
		b.reserved += cost
		return true, false
	}
	b.red = b.reserved == 0
	return false, b.red
}

// renew starts a daily budget's next day. What is in flight then stays reserved.
func (b *Budget) renew(now time.Time) {
	if b.renewed.IsZero() {
		return
	}
	if today := now.UTC().Truncate(24 * time.Hour); today.After(b.renewed) {
		b.renewed, b.spent, b.kept = today, 0, 0
	}
}

func (b *Budget) left() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit - b.spent - b.kept
}

// wake has lanes other than from look again.
func (b *Budget) wake(from *Limiter) {
	b.mu.Lock()
	lanes := b.lanes
	b.mu.Unlock()
	for _, l := range lanes {
		if l != from {
			// Not by hand: from's mutex is held.
			l.clock.AfterFunc(0, l.tick)
		}
	}
}

// settle replaces a reservation by what was spent, or, where nobody said what that was, keeps it. Other lanes than from may have
// room then.
func (b *Budget) settle(reservation, cost int64, unclear bool, from *Limiter) {
	b.mu.Lock()
	b.reserved -= reservation
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

// reserve sets cost aside in all of them or in none: looking and reserving are one step, for other lanes do the same. Where there is
// no room it reports false, and an error if no settlement will make any.
func (all budgets) reserve(cost int64, now time.Time, from *Limiter) (bool, error) {
	for i, b := range all {
		fits, never := b.reserve(cost, now)
		if fits {
			continue
		}
		for _, earlier := range all[:i] {
			earlier.settle(cost, 0, false, from)
		}
		if never {
			return false, &OverBudget{Budget: b, Left: b.left(), Need: cost}
		}
		return false, nil
	}
	return true, nil
}

func (all budgets) settle(reservation, cost int64, unclear bool, from *Limiter) {
	for _, b := range all {
		b.settle(reservation, cost, unclear, from)
	}
}
