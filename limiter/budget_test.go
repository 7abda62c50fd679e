package limiter

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A server that charges anything up to each request's worst case never charges more than the
// budget, and the lane ends only when the next worst case does not fit with nothing in flight.
func TestSpendNeverPassesTheBudget(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.Int64Range(1, 10_000).Draw(r, "limit")
		before := rapid.Int64Range(0, limit).Draw(r, "spent before")
		worst := rapid.SliceOfN(rapid.Int64Range(0, 500), 1, 60).Draw(r, "worst cases")
		share := rapid.SliceOfN(rapid.IntRange(0, 100), len(worst), len(worst)).Draw(r, "percent used")
		unclear := rapid.SliceOfN(rapid.Bool(), len(worst), len(worst)).Draw(r, "unclear")
		lanes := rapid.IntRange(1, 3).Draw(r, "lanes")
		synctest.Test(t, func(t *testing.T) {
			b := NewBudget(limit, before)
			var limiters []*Limiter
			for range lanes {
				l := New(Config{Concurrency: 4, Clock: System, Budgets: []*Budget{b}})
				defer l.Close()
				limiters = append(limiters, l)
			}
			var charged, refused atomic.Int64
			for i := range worst {
				go func() {
					p, err := limiters[i%lanes].Acquire(t.Context(), Request{Cost: worst[i]})
					if over := (*OverBudget)(nil); errors.As(err, &over) {
						refused.Add(1)
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					time.Sleep(time.Duration(i%7+1) * time.Second)
					cost := worst[i] * int64(share[i]) / 100
					charged.Add(cost)
					p.Settle(Outcome{Kind: Success, Cost: cost, CostUnclear: unclear[i]})
				}()
			}
			time.Sleep(time.Hour)
			if got := before + charged.Load(); got > limit {
				t.Errorf("the server charged %d of a budget of %d", got, limit)
			}
			if spent := b.Spent(); spent > limit || spent < before+charged.Load() {
				t.Errorf("spent is %d, the server charged %d, the budget is %d", spent, charged.Load(), limit)
			}
			if refused.Load() > 0 && b.Colour() != Red {
				t.Errorf("%d requests were refused, and the budget is %s", refused.Load(), b.Colour())
			}
			for _, l := range limiters {
				if s := l.Stats(); s.Waiting > 0 || s.InFlight > 0 {
					t.Errorf("%+v: somebody waits for ever", s)
				}
			}
		})
	})
}

func TestAWorstCaseWaitsForSettlements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100, 0)
		l := New(Config{Concurrency: 8, Clock: System, Budgets: []*Budget{b}})
		defer l.Close()
		first := acquire(t, l, Request{Cost: 60})
		granted := make(chan *Permit, 1)
		go func() {
			p, err := l.Acquire(t.Context(), Request{Cost: 60})
			if err != nil {
				t.Error(err)
			}
			granted <- p
		}()
		synctest.Wait()
		if s := l.Stats(); s.Waiting != 1 {
			t.Fatalf("%+v: the second worst case does not wait", s)
		}
		first.Settle(Outcome{Kind: Success, Cost: 10})
		(<-granted).Settle(Outcome{Kind: Success, Cost: 20})
		if got := b.Spent(); got != 30 {
			t.Errorf("spent %d, want 30", got)
		}
	})
}

func TestColours(t *testing.T) {
	b := NewBudget(1000, 0)
	for _, step := range []struct {
		spend int64
		want  Colour
	}{{799, Green}, {1, Yellow}, {199, Yellow}, {1, Red}} {
		b.Spend(step.spend)
		if got := b.Colour(); got != step.want {
			t.Errorf("at %d: %s, want %s", b.Spent(), got, step.want)
		}
	}
}

func TestADroppedPermitCostsNothing(t *testing.T) {
	b := NewBudget(100, 0)
	l := New(Config{Clock: System, Budgets: []*Budget{b}})
	defer l.Close()
	for range 5 {
		acquire(t, l, Request{Cost: 90}).Drop()
	}
	if got := b.Spent(); got != 0 {
		t.Errorf("spent %d", got)
	}
}

func TestADailyBudgetIsRenewedAtMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a bubble's clock begins at midnight UTC
		time.Sleep(23 * time.Hour)
		b := NewDailyBudget(100, 90, time.Now().Truncate(24*time.Hour))
		l := New(Config{Clock: System, Budgets: []*Budget{b}})
		defer l.Close()
		acquire(t, l, Request{Cost: 10}).Settle(Outcome{Kind: Success, Cost: 10})
		if got := b.Spent(); got != 100 {
			t.Errorf("spent %d before midnight", got)
		}
		time.Sleep(2 * time.Hour)
		acquire(t, l, Request{Cost: 100}).Settle(Outcome{Kind: Success, Cost: 7})
		if got := b.Spent(); got != 7 {
			t.Errorf("spent %d after midnight", got)
		}
	})
}

// Whoever makes a daily budget says whose midnight its days begin at.
func TestADaysMidnightIsToldToTheBudget(t *testing.T) {
	midnight := time.Date(2026, 3, 4, 2, 17, 0, 0, time.UTC) // by a clock that is set wrong
	b := NewDailyBudget(100, 90, midnight)
	for _, tt := range []struct {
		after time.Duration
		spent int64
	}{{0, 90}, {23 * time.Hour, 90}, {24 * time.Hour, 0}, {75 * time.Hour, 0}} {
		if spent, _, _ := b.Borrowed(midnight.Add(tt.after)); spent != tt.spent {
			t.Errorf("%d are spent after %s, want %d", spent, tt.after, tt.spent)
		}
	}
	b.Spend(5)
	if spent, _, _ := b.Borrowed(midnight.Add(95 * time.Hour)); spent != 5 {
		t.Errorf("%d are spent on the fourth day, want 5", spent)
	}
	if spent, _, _ := b.Borrowed(midnight.Add(96 * time.Hour)); spent != 0 {
		t.Errorf("%d are spent on the fifth day", spent)
	}
}

// What a request may cost rises while it is in flight: nothing that fitted before goes, and what it
// cost in the end replaces the whole.
func TestRaise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100, 0)
		l := New(Config{Concurrency: 4, Clock: System, Budgets: []*Budget{b}})
		defer l.Close()
		first := acquire(t, l, Request{Cost: 10})
		first.Raise(95)
		first.Raise(20) // is less
		granted := make(chan *Permit, 1)
		go func() {
			p, err := l.Acquire(t.Context(), Request{Cost: 10})
			if err != nil {
				t.Error(err)
			}
			granted <- p
		}()
		synctest.Wait()
		if len(granted) > 0 {
			t.Fatal("10 go beside 95 of 100")
		}
		first.Settle(Outcome{Kind: Success, Cost: 60})
		first.Raise(1000) // is over
		second := <-granted
		second.Raise(200)
		if !Overdrawn([]*Budget{b}) {
			t.Error("60 spent and 200 in flight do not pass 100")
		}
		second.Settle(Outcome{Kind: Success, Cost: 30})
		if b.Spent() != 90 || Overdrawn([]*Budget{b}) {
			t.Errorf("%d spent", b.Spent())
		}
	})
}

// lender lends what a test says.
type lender struct {
	most   atomic.Int64
	wanted atomic.Int64
	none   atomic.Pointer[OverBudget]
}

func (l *lender) Most(time.Time) int64 { return l.most.Load() }

func (l *lender) Want(cost int64) *OverBudget {
	l.wanted.Store(cost)
	return l.none.Load()
}

// TestALentBudget: what exceeds what is lent waits for more, and ends only when there will be none
// and nothing is in flight that could make room.
func TestALentBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, lent := NewBudget(1_000, 0), new(lender)
		b.Borrow(lent)
		l := New(Config{Concurrency: 4, Clock: System, Budgets: []*Budget{b}})
		defer l.Close()
		type answer struct {
			permit *Permit
			err    error
		}
		ask := func() chan answer {
			got := make(chan answer, 1)
			go func() {
				p, err := l.Acquire(t.Context(), Request{Cost: 60})
				got <- answer{p, err}
			}()
			synctest.Wait()
			return got
		}
		waits := func(got chan answer) {
			t.Helper()
			synctest.Wait()
			select {
			case a := <-got:
				t.Fatalf("it does not wait: %v", a.err)
			default:
			}
		}
		first := ask()
		if waits(first); lent.wanted.Load() != 60 {
			t.Errorf("%d are wanted", lent.wanted.Load())
		}
		lent.most.Store(100)
		b.Lent(0, 1_000)
		a := <-first
		if a.err != nil {
			t.Fatal(a.err)
		}
		second := ask()
		waits(second)
		lent.none.Store(&OverBudget{Left: 30, Need: 60})
		b.Lent(0, 1_000)
		waits(second) // what is in flight may cost less
		a.permit.Settle(Outcome{Kind: Success, Cost: 40})
		if a = <-second; a.err != nil {
			t.Fatal(a.err)
		}
		third := ask()
		waits(third)
		a.permit.Settle(Outcome{Kind: Success, Cost: 60})
		over := (*OverBudget)(nil)
		if a = <-third; !errors.As(a.err, &over) || over.Budget != b || over.Left != 30 {
			t.Errorf("it ends with %v", a.err)
		}
		if spent, kept, most := b.Borrowed(time.Now()); spent != 100 || kept != 100 || most != 100 {
			t.Errorf("%d are spent, %d kept, %d set aside", spent, kept, most)
		}
	})
}

// TestColoursOfALentBudget: what others have spent counts.
func TestColoursOfALentBudget(t *testing.T) {
	b := NewBudget(1_000, 100)
	b.Borrow(new(lender))
	for _, tt := range []struct {
		beside, limit int64
		want          Colour
	}{{0, 1_000, Green}, {699, 1_000, Green}, {700, 1_000, Yellow}, {300, 500, Yellow}, {900, 1_000, Red}} {
		b.Lent(tt.beside, tt.limit)
		if got := b.Colour(); got != tt.want || b.Spent() != 100+tt.beside || b.Limit() != tt.limit {
			t.Errorf("with %d beside it of %d it is %v, %d of %d spent", tt.beside, tt.limit, got, b.Spent(), b.Limit())
		}
	}
}
