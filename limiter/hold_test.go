package limiter

import (
	"errors"
	"testing"
	"time"
)

// What is held beside the limiters takes part in the budgets like what they reserve: all or none, and red only when nothing can give way.
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
	if fits, err := Hold([]*Budget{total}, 1, time.Time{}); fits || err != nil {
		t.Fatalf("beside what is under way: %v, %v", fits, err)
	}
	Release([]*Budget{total}, 500, 5)
	if fits, err := Hold([]*Budget{total}, 55, time.Time{}); !fits || err != nil {
		t.Errorf("after it: %v, %v", fits, err)
	}
}
