package limiter

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// What is held beside the limiters takes part in the budgets like what they reserve: all or none,
// and red only when nothing can give way.
func TestHold(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	total, daily := NewBudget(100, 40), NewDailyBudget(50, 0, now)
	all := []*Budget{total, daily}
	for _, step := range []struct {
		name string
		cost int64
		fits bool
	}{
		{"room in both", 30, true},
		{"no room in the day", 21, false},
		{"no room in all", 31, false},
		{"to the cent", 20, true},
	} {
		if fits, err := Hold(all, step.cost, now); fits != step.fits || err != nil {
			t.Fatalf("%s: %v, %v", step.name, fits, err)
		}
	}
	Release(all, 30, 10)
	Release(all, 20, 20)
	if total.Spent() != 70 || daily.Spent() != 30 {
		t.Errorf("spent %d and %d, want 70 and 30", total.Spent(), daily.Spent())
	}
	if fits, err := Hold(all, 31, now); fits || !errors.Is(err, ErrOverBudget) {
		t.Errorf("with nothing in flight: %v, %v", fits, err)
	}
}

// What was under way before the budget keeps its reservation, whether it fits or not.
func TestHoldAnyway(t *testing.T) {
	total := NewBudget(100, 40)
	HoldAnyway([]*Budget{total}, 500)
	if !Overdrawn([]*Budget{NewBudget(1, 0), total}) {
		t.Error("540 of 100 are not overdrawn")
	}
	if fits, err := Hold([]*Budget{total}, 1, time.Time{}); fits || err != nil {
		t.Fatalf("beside what is under way: %v, %v", fits, err)
	}
	Release([]*Budget{total}, 500, 5)
	if Overdrawn([]*Budget{total}) {
		t.Error("45 of 100 are overdrawn")
	}
	if fits, err := Hold([]*Budget{total}, 55, time.Time{}); !fits || err != nil {
		t.Errorf("after it: %v, %v", fits, err)
	}
}

// What goes on elsewhere stays set aside, and nobody waits for it: not who comes, and not who
// waited for it before. The budget is not red because of it: there is room again when that is over.
func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100, 0)
		all := []*Budget{b}
		short := 0
		l := New(Config{Concurrency: 4, Clock: System, Budgets: all, Short: func() { short++ }})
		defer l.Close()
		HoldAnyway(all, 80)
		first := acquire(t, l, Request{Cost: 15})
		waits := make(chan error, 1)
		go func() {
			_, err := l.Acquire(t.Context(), Request{Cost: 50})
			waits <- err
		}()
		synctest.Wait()
		if short != 0 {
			t.Error("a request that is in flight may give way")
		}
		first.Settle(Outcome{Kind: Success, Cost: 5})
		synctest.Wait()
		if short != 1 {
			t.Errorf("told %d times that what is held alone can make room, want once", short)
		}
		Leave(all, 80)
		synctest.Wait()
		var over *OverBudget
		select {
		case err := <-waits:
			if !errors.As(err, &over) || over.Away != 80 || over.Left != 95 || over.Need != 50 {
				t.Errorf("ended with %v", err)
			}
		default:
			t.Fatal("it waits for what nobody releases")
		}
		if fits, err := Hold(all, 16, time.Now()); fits || !errors.As(err, &over) || over.Away != 80 {
			t.Errorf("beside what is away: %v, %v", fits, err)
		}
		if fits, err := Hold(all, 15, time.Now()); !fits || err != nil || b.Colour() != Green {
			t.Errorf("to the cent: %v, %v, %s", fits, err, b.Colour())
		}
		Release(all, 15, 0)
		if _, err := Hold(all, 96, time.Now()); !errors.As(err, &over) || over.Away != 0 || b.Colour() != Red {
			t.Errorf("what never fits: %v, %s", err, b.Colour())
		}
	})
}

// Where only one or two are in flight, a hint holds the lane as soon as it is heard, though an earlier
// request has yet to be answered.
func TestAHintHoldsAFewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 2, Clock: System})
		defer l.Close()
		slow, quick := acquire(t, l, Request{}), acquire(t, l, Request{})
		start := time.Now()
		quick.Settle(Outcome{Kind: Pressure, Hint: 4 * time.Second})
		slow.Settle(Outcome{Kind: Success})
		acquire(t, l, Request{}).Settle(Outcome{Kind: Success})
		if waited := time.Since(start); waited != 4*time.Second {
			t.Errorf("the next went after %v, want 4s", waited)
		}
	})
}
