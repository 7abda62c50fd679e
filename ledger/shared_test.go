package ledger

import (
	"slices"
	"testing"
	"time"
)

// TestWhatWasSeenOfAJob: the latest word of each run counts, whatever the order of the lines, of
// one job alone, and none of it is money of the ledger's.
func TestWhatWasSeenOfAJob(t *testing.T) {
	path := testPath(t)
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	amounts := func(nanos int64) MaySpend { return MaySpend{Spent: nanos, Most: 2 * nanos} }
	run := func(id string, nanos int64) SharedRun {
		return SharedRun{Run: id, Ledger: "l-" + id, Day: 20516, Total: amounts(nanos), Today: amounts(nanos / 2)}
	}
	moment := func(epoch string) Moment { return Moment{Epoch: epoch, Version: 10 + int64(epoch[0])} }
	l := mustOpen(t, path, Options{Job: "job", Run: RunInfo{ID: "first"}})
	for _, s := range []Share{
		{Job: "job", Moment: moment("2"), Time: at.Add(time.Second), Runs: []SharedRun{run("a", 1_000), run("b", 30)}},
		{Job: "other", Moment: moment("9"), Time: at.Add(time.Hour), Runs: []SharedRun{run("a", 9), run("z", 9)}},
		{Job: "job", Moment: moment("1"), Time: at, Runs: []SharedRun{run("a", 5), run("c", 7)}, Gone: []string{"b"}}, // appended
		{Job: "job", Moment: moment("3"), Time: at.Add(2 * time.Second), Runs: []SharedRun{run("d", 1)}, Gone: []string{"c"}},
	} {
		if err := l.See(&s); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		last, seen := l.Seen()
		slices.SortFunc(seen, func(a, b SharedRun) int { return int(a.Run[0]) - int(b.Run[0]) })
		if want := []SharedRun{run("a", 1_000), run("b", 30), run("d", 1)}; last != moment("3") || !slices.Equal(seen, want) {
			t.Errorf("%v, seen %v, want %v", last, seen, want)
		}
		if s := l.Summary(); s.SpentNanos+s.KeptNanos != 0 {
			t.Errorf("spent %d, kept %d", s.SpentNanos, s.KeptNanos)
		}
		if l.FirstRun() != "first" || !l.HasRun("first") || l.HasRun("a") {
			t.Errorf("begun by %q, has it %v, has one of another ledger %v", l.FirstRun(), l.HasRun("first"), l.HasRun("a"))
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = mustOpen(t, path, Options{Job: "job", Run: RunInfo{ID: "second"}})
	}
	if err := Scan(path, nil, func(Entry) error { return nil }); err != nil {
		t.Error(err)
	}
}

// TestLentIsABound: no more is claimed than is lent, whatever the bounds, and what is at risk
// counts in the sums before it is settled.
func TestLentIsABound(t *testing.T) {
	lent := Bounds{Total: 100, Daily: NoBound}
	l := mustOpen(t, testPath(t), Options{Job: "job", Run: RunInfo{ID: "run"}, Since: time.Now().UTC().Truncate(24 * time.Hour)})
	l.Borrow(func() Bounds { return lent })
	claim := func(key uint64, nanos int64) Claimed {
		t.Helper()
		claims := []Claim{{AtRisk: AtRisk{Key: Key{ID: key}, Nanos: nanos, Known: true}}}
		if _, err := l.Claim(claims, nil, Bounds{}); err != nil {
			t.Fatal(err)
		}
		return claims[0].Found
	}
	if got := claim(1, 60); got != Free {
		t.Errorf("60 of 100: %v", got)
	}
	if got := claim(2, 60); got != OverBudget {
		t.Errorf("60 more: %v", got)
	}
	if total, today := l.Sums(); total != (Sum{Most: 60}) || today != total {
		t.Errorf("sums %v and %v", total, today)
	}
	lent.Total = 120
	if got := claim(2, 60); got != Free {
		t.Errorf("60 more of 120: %v", got)
	}
	lent = Bounds{Total: NoBound, Daily: 0}
	if got := claim(3, 60); got != OverBudget {
		t.Errorf("nothing is lent today: %v", got)
	}
}

// TestADayLasts24Hours: the sums of a day start again 24 hours after it began, whenever that was.
func TestADayLasts24Hours(t *testing.T) {
	since := time.Date(2026, 3, 4, 2, 17, 0, 0, time.UTC)
	l := mustOpen(t, testPath(t), Options{Since: since, Run: RunInfo{ID: "run"}})
	for _, tt := range []struct{ after, begins time.Duration }{
		{23 * time.Hour, 0}, {25 * time.Hour, 24 * time.Hour}, {47 * time.Hour, 24 * time.Hour}, {100 * time.Hour, 96 * time.Hour},
	} {
		l.renew(since.Add(tt.after))
		if got := l.options.Since.Sub(since); got != tt.begins {
			t.Errorf("after %s the day began after %s, want %s", tt.after, got, tt.begins)
		}
	}
}
