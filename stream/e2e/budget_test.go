package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestBudgetHolds asks about 10,000 records with the money for some 6,000, then with a little more,
// then with enough. The provider's own count of tokens says what was spent: never more than the
// budget, and less only by what no further request can be had for.
func TestBudgetHolds(t *testing.T) {
	t.Parallel()
	const records = 10_000
	dir := t.TempDir()
	// Outputs are 13 to 120 tokens; every tenth record is cut at 12.
	prompts := writeBounded(t, dir, records, func(i int) int {
		if i%10 == 0 {
			return 12
		}
		return 120
	})
	sim := startSim(t, "latency=5ms&jitter=0.5&output=40&seed=3")
	run := func(budget string) *process {
		return llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", "64", "--budget", budget, "--summary", "summary.json", prompts)
	}
	var spent int64
	answered := 0
	for _, budget := range []struct {
		dollars string
		nanos   int64
	}{{"0.15", 0.15 * dollar}, {"$0.165", 0.165 * dollar}} {
		p := run(budget.dollars)
		p.exits(t, 4)
		asked := sim.stats(t)
		before := spent
		spent = asked.bill(t)
		t.Logf("budget %s: %d nanodollars spent on %d answers (%.2f %%)", budget.dollars, spent, asked.Answered,
			float64(spent)/float64(budget.nanos)*100)
		if !within(2, spent, budget.nanos) {
			t.Errorf("budget %s: the provider charged %d, which is not within 2 %% below %d", budget.dollars, spent, budget.nanos)
		}
		s := readSummary(t, dir)
		if s.Skipped != answered || s.OK != asked.Answered || s.Cost == nil || int64(*s.Cost) != spent-before || reported(t, dir) != spent {
			t.Errorf("budget %s: summary %+v, report %d; the provider gave %d answers for %d after %d for %d",
				budget.dollars, s, reported(t, dir), asked.Answered, spent, answered, before)
		}
		answered = asked.Answered
		for _, want := range []string{"the budget is red: ", "error: over budget: ", "hint: run the same command again with a larger --budget"} {
			if strings.Count(p.err.String(), want) != 1 {
				t.Errorf("budget %s: %q is not said once: %s", budget.dollars, want, &p.err)
			}
		}
	}
	if answered < 6_000 || answered > 7_200 {
		t.Errorf("%d records were answered: the budgets are not those that this test is about", answered)
	}

	p := run("5")
	p.exits(t, 0)
	want := fmt.Sprintf("ledger llmpipe.ledger.jsonl: %d recorded, $0.1649 (simulated) spent", answered)
	if !strings.Contains(p.err.String(), want) {
		t.Errorf("said %q, want %q", &p.err, want)
	}
	asked := sim.stats(t)
	if asked.Answered != records || asked.Requests != records {
		t.Errorf("%d requests and %d answers for %d records: some were paid for twice", asked.Requests, asked.Answered, records)
	}
	low, high := int64(1<<62), int64(0)
	var sum int64
	lines := p.paidLines(t)
	for _, line := range lines {
		low, high = min(low, line.Usage.Completion), max(high, line.Usage.Completion)
		sum += int64(*line.Cost)
	}
	if len(lines) != records || sum != asked.bill(t) || sum != reported(t, dir) {
		t.Errorf("%d lines cost %d, the ledger says %d, the provider %d", len(lines), sum, reported(t, dir), asked.bill(t))
	}
	if high < 10*low {
		t.Errorf("outputs of %d to %d tokens do not vary by a factor of ten", low, high)
	}
}

// TestBudgetHoldsAmongFailures does so with a provider that fails in all ways. An attempt that may
// have been charged for, though its answer never came or made no sense, counts as its worst case,
// so that the budget would hold even if the provider charged that.
func TestBudgetHoldsAmongFailures(t *testing.T) {
	t.Parallel()
	const (
		records   = 5_000
		maxTokens = 120
		budget    = 0.09 * dollar // for 3,600 answers of 40 tokens on average
	)
	dir := t.TempDir()
	prompts := writeBounded(t, dir, records, always(maxTokens))
	sim := startSim(t, "latency=5ms&output=40&seed=5&fail=0.03&reset=0.01&garbage=0.02&hang=0.001&empty=0.01&pressure=0.01&retry-after=50ms")
	run := func(dollars string) *process {
		return llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", "64", "--timeout", "5s", "--budget", dollars,
			"--alert", "exec:cat >> alerts.jsonl", "--summary", "summary.json", prompts)
	}
	p := run("0.09")
	p.exits(t, 4)
	asked, first := sim.stats(t), readSummary(t, dir)
	// An answer that takes longer than the time-out, on a machine that is busy, is given and not seen.
	spent, seen := asked.bill(t), int64(*first.Cost)
	unclear := int64(asked.Requests - first.OK - asked.ByStatus["429"])
	// A body has between 90 and 110 bytes, and at most a token a byte.
	low, high := seen+unclear*(90*150+maxTokens*600), seen+unclear*(110*150+maxTokens*600)
	alerts := readAlerts(t, dir)
	reckoned := int64(alerts[len(alerts)-1].Spent)
	t.Logf("%d answers for %d, %d unclear attempts, %d reckoned of %d; faults %v", asked.Answered, spent, unclear, reckoned,
		int64(budget), asked.Faults)
	if reckoned < low || reckoned > high {
		t.Errorf("%d counts as spent; with the worst cases of %d attempts it is %d to %d", reckoned, unclear, low, high)
	}
	if !within(2, reckoned, budget) || reckoned < spent {
		t.Errorf("%d counts as spent, which is not within 2 %% below %d, or less than %d", reckoned, int64(budget), spent)
	}
	if first.OK > asked.Answered || seen > spent || first.OK == asked.Answered && seen != spent {
		t.Errorf("summary %+v, but the provider gave %d answers for %d", first, asked.Answered, spent)
	}

	run("5").exits(t, 0)
	if s := readSummary(t, dir); s.OK != records || s.Skipped != first.OK {
		t.Errorf("%d were answered before, then %+v", first.OK, s)
	}
}

// TestWorstCasesOnlySlowDown asks with 256 in flight, whose worst cases together are most of the
// budget, or many times as much. The run goes on, with ever fewer in flight, until not even one
// worst case is left.
func TestWorstCasesOnlySlowDown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ maxTokens, fit int }{
		{1_000, 256}, // 0.0006 dollars a request: 256 of them are 0.158
		{4_000, 66},  // 0.0024 dollars
	} {
		t.Run(fmt.Sprint(test.maxTokens), func(t *testing.T) {
			t.Parallel()
			const budget = 0.16 * dollar
			dir := t.TempDir()
			prompts := writeBounded(t, dir, 10_000, always(test.maxTokens))
			till := newTill(t, test.fit)
			p := llmpipe(t, dir, "--base-url", till.URL, "-m", "gpt-4o-mini", "-c", "256", "--fsync", "never", "--budget", "0.16", prompts)
			p.exits(t, 4)
			spent, peak := till.spent.Load(), till.peak()
			worst := int64(test.maxTokens*600 + 110*150)
			t.Logf("%d answers for %d of %d, a worst case is %d, peak %d in flight", till.asked.Load(), spent, int64(budget), worst, peak)
			if !within(2, spent, budget) || budget-spent > worst {
				t.Errorf("the provider charged %d of %d, and one request is at most %d", spent, int64(budget), worst)
			}
			if peak != test.fit {
				t.Errorf("up to %d in flight, want %d", peak, test.fit)
			}
		})
	}
}

// till is a provider that counts what it charges, and answers nothing before it has so many
// requests in flight.
type till struct {
	*backend
	spent atomic.Int64

	mu            sync.Mutex
	inFlight, top int
}

func newTill(t testing.TB, first int) *till {
	t.Helper()
	s := &till{}
	open := make(chan struct{})
	s.backend = newBackend(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if s.enter(1) == first && n <= int64(first) {
			close(open)
		}
		defer s.enter(-1)
		select {
		case <-open:
		case <-r.Context().Done():
			return
		case <-time.After(tooLong):
			t.Errorf("%d requests are not in flight together", first)
			return
		}
		time.Sleep(3 * time.Millisecond)
		output := 13 + n*37%108
		s.spent.Add(10*150 + output*600)
		answerWith(w, fmt.Sprintf(`"usage":{"prompt_tokens":10,"completion_tokens":%d,"total_tokens":%d}`, output, output+10))
	})
	return s
}

// enter counts a request in or out, and returns how many are in flight.
func (s *till) enter(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight += n
	s.top = max(s.top, s.inFlight)
	return s.inFlight
}

func (s *till) peak() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.top
}
