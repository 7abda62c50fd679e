package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"llmpipe/ledger"
)

// aDayEarlier writes a ledger again as it would stand there had all of it happened a day before.
func aDayEarlier(t *testing.T, name string) {
	t.Helper()
	earlier := name + ".earlier"
	l, err := ledger.Open(earlier, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var group ledger.Group
	err = ledger.Scan(name, nil, func(e ledger.Entry) error {
		if e.Result == nil {
			return nil
		}
		r := *e.Result
		r.ID, r.Response = slices.Clone(r.ID), slices.Clone(r.Response)
		r.Time = r.Time.AddDate(0, 0, -1)
		group.Results = append(group.Results, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(&group); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(earlier, name); err != nil {
		t.Fatal(err)
	}
}

// TestBudgetPerDay works a job off in days: what is spent since midnight holds it back, what was
// spent before does not.
func TestBudgetPerDay(t *testing.T) {
	t.Parallel()
	// The days are those of UTC; where one is about to end, the test waits for the next.
	if left := time.Until(time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)); left < 30*time.Second {
		time.Sleep(left)
	}
	const records, daily = 1_000, 0.01 * dollar // for some 400 answers
	dir := t.TempDir()
	prompts := writeBounded(t, dir, records, always(120))
	sim := startSim(t, "latency=2ms&output=40&seed=3")
	run := func(more ...string) *process {
		args := []string{"--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", "16", "--budget-per-day", "0.01", "--summary", "summary.json", prompts}
		return llmpipe(t, dir, append(args, more...)...)
	}
	var before int64
	for day := 1; ; day++ {
		p := run()
		code := p.exit(t)
		asked := sim.stats(t)
		today := asked.bill(t) - before
		before = asked.bill(t)
		t.Logf("day %d: exit code %d, %d answers so far, %d spent that day", day, code, asked.Answered, today)
		if asked.Requests != asked.Answered || asked.Answered > records {
			t.Fatalf("day %d: %d requests, %d answers", day, asked.Requests, asked.Answered)
		}
		if code == 0 {
			if day != 3 || asked.Answered != records || len(p.lines()) != records {
				t.Errorf("done on day %d with %d answers and %d lines", day, asked.Answered, len(p.lines()))
			}
			break
		}
		if code != 75 || !within(2, today, daily) || !strings.Contains(p.err.String(), "run the same command again tomorrow (UTC)") {
			t.Fatalf("day %d: exit code %d, %d spent of %d: %s", day, code, today, int64(daily), &p.err)
		}
		p = run()
		if code := p.exit(t); code != 75 || sim.stats(t).Answered-asked.Answered > 3 {
			t.Errorf("day %d, once more: exit code %d, %d further answers", day, code, sim.stats(t).Answered-asked.Answered)
		}
		if over := sim.stats(t).bill(t) - before + today; over > daily {
			t.Errorf("day %d, once more: %d spent of %d", day, over, int64(daily))
		}
		before = sim.stats(t).bill(t)
		aDayEarlier(t, filepath.Join(dir, "llmpipe.ledger.jsonl"))
	}

	// Both budgets hold together: all that was spent counts for the one, nothing of it for the
	// other, and the run that neither lets go on says so.
	aDayEarlier(t, filepath.Join(dir, "llmpipe.ledger.jsonl"))
	writeBounded(t, dir, records+10, always(120))
	p := run("--budget", "0.02")
	if code := p.exit(t); code != 4 || sim.stats(t).Answered != records {
		t.Errorf("exit code %d, %d answers: %s", code, sim.stats(t).Answered, &p.err)
	}
}
