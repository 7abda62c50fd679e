package e2e

import (
	"fmt"
	"strings"
	"testing"

	"llmpipe/ledger/price"
	"llmpipe/ledger/report"
)

// reportOn is what report --json says of the ledger in dir.
func reportOn(t *testing.T, dir string) *report.Report {
	t.Helper()
	p := llmpipe(t, dir, "report", "--json")
	p.exits(t, 0)
	writeFile(t, dir, "report.json", p.out.String())
	r := new(report.Report)
	readJSON(t, dir, "report.json", r)
	return r
}

// TestReportIsTrue has a job fail, go on, turn to the cheaper model, be cut short and be asked the
// same twice, and holds the report against what the provider counted, and what the runs said.
func TestReportIsTrue(t *testing.T) {
	t.Parallel()
	const (
		asked, twins = 400, 40 // records with prompts of their own, and with another's
		records      = asked + twins
	)
	dir := t.TempDir()
	prompts := writeFile(t, dir, "prompts.jsonl", repeat(1, records, func(i int) string {
		return fmt.Sprintf(`{"id":"r%d","prompt":"prompt number %d","max_tokens":60}`, i, (i-1)%asked+1)
	}))
	sim := startSim(t, "latency=1ms&output=40&seed=3&fail=0.02&pressure=0.05&retry-after=1ms&truncate=0.05")
	// run also counts the records that were asked in vain: one that waits for another's answer has
	// nothing in the ledger when that fails.
	run := func(code int, args ...string) (summary, int) {
		t.Helper()
		p := llmpipe(t, dir, append([]string{
			"--base-url", sim.URL, "-m", "gpt-4o", "-c", "8", "-q", "--dedupe", "--retries", "0", "--summary", "summary.json",
			"--downgrade-to", "gpt-4o-mini",
		}, args...)...)
		p.exits(t, code)
		failed := 0
		for line := range strings.Lines(p.out.String()) {
			if strings.Contains(line, `"error":`) && strings.Contains(line, `"attempts":`) {
				failed++
			}
		}
		return readSummary(t, dir), failed
	}
	// A first run fails here and there and its budget turns yellow; a second one asks the rest.
	first, failed := run(3, "--budget", "0.175", prompts)
	before := reportOn(t, dir)
	if r := before.Records; r.Total != int64(first.OK+failed) || r.Failed != int64(failed) || failed == 0 || r.Later != 0 ||
		len(before.Open) != failed {
		t.Errorf("after the first run %+v: the summary was %+v", r, first)
	}
	second, _ := run(0, "--budget", "9", "--budget-per-day", "5", "--retries", "6", prompts)
	r := reportOn(t, dir)

	count := sim.stats(t)
	want := report.Records{
		Total: records, Answered: records, Later: int64(failed), IDs: records, Same: twins,
		Downgraded: r.Records.Downgraded, Flagged: r.Records.Flagged,
	}
	if fmt.Sprint(r.Records) != fmt.Sprint(want) {
		t.Errorf("records %+v, want %+v", r.Records, want)
	}
	// What the provider was asked and what it answered.
	if a := r.Attempts; a.Answers != int64(count.Answered) || a.Failures != int64(failed) || a.UnknownRuns != 0 ||
		a.Limited != int64(count.ByStatus["429"]) || a.Limited == 0 || a.Retries != int64(first.Retries+second.Retries) {
		t.Errorf("attempts %+v; the simulator counts %+v", a, count)
	}
	if cost := price.Dollars(count.bill(t)); *r.Total.Cost != cost || r.Total.PromptTokens != count.PromptTokens ||
		r.Total.CompletionTokens != count.CompletionTokens {
		t.Errorf("%+v; the simulator bills %v for %+v", r.Total, cost, count)
	}
	same := map[string]int64{} // answers that were not asked for, by model
	output := llmpipe(t, dir, "export")
	output.exits(t, 0)
	downgraded, cut := int64(0), int64(0)
	for line := range strings.Lines(output.out.String()) {
		downgraded += int64(strings.Count(line, `"downgraded_from":"gpt-4o"`))
		cut += int64(strings.Count(line, `"flagged":"length"`))
		if strings.Contains(line, `"same_as"`) {
			for _, model := range []string{"gpt-4o", "gpt-4o-mini"} {
				same[model] += int64(strings.Count(line, `"model":"`+model+`"`))
			}
		}
	}
	for _, row := range r.Models {
		if of := count.Models[row.Name]; row.Results != int64(of.Answered)+same[row.Name] || row.PromptTokens != of.PromptTokens {
			t.Errorf("%+v; the simulator counts %+v, and %d are the same as others", row, of, same[row.Name])
		}
	}
	if len(r.Models) != 2 || r.Records.Downgraded != downgraded || downgraded == 0 {
		t.Errorf("%d records by the cheaper model, want %d; models %+v", r.Records.Downgraded, downgraded, r.Models)
	}
	if f := r.Records.Flagged; len(f) != 1 || f[0] != (report.FlagCount{Flag: "length", Count: cut}) ||
		cut < int64(count.Faults["truncate"]) || cut == 0 {
		t.Errorf("flagged %+v, want %d; the simulator cut %d", f, cut, count.Faults["truncate"])
	}
	// What is left, and how the runs ended.
	if len(r.Budgets) != 1 {
		t.Fatalf("budgets %+v", r.Budgets)
	}
	b := r.Budgets[0]
	if b.Spent != *r.Total.Cost+r.Kept || *b.Total != 9e9 || *b.Left != 9e9-b.Spent || *b.Daily != 5e9 || *b.LeftToday != 5e9-b.Today {
		t.Errorf("the budget is %+v of %v and %v; %v was spent", b, *b.Total, *b.Daily, r.Total.Cost)
	}
	if len(r.LastRuns) != 2 || *r.LastRuns[0].Exit != 3 || *r.LastRuns[1].Exit != 0 {
		t.Fatalf("runs %+v", r.LastRuns)
	}
	for i, s := range []summary{first, second} {
		c := r.LastRuns[i].Counts
		if c.Answered != int64(s.OK-s.Skipped) || c.Failed != int64(s.Failed) || c.Skipped != int64(s.Skipped) ||
			c.Limited != int64(s.Status429) || c.Retries != int64(s.Retries) || c.Cost != *s.Cost {
			t.Errorf("run %d: %+v, its summary %+v", i, c, s)
		}
	}
	if len(r.Open) != 0 || len(before.LastRuns) != 1 {
		t.Errorf("open %+v", r.Open)
	}
}
