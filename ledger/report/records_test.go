package report

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"llmpipe/ledger"
)

// runOf is a run of a test, which writes a group and says how it ended, unless it was killed.
type runOf struct {
	info  ledger.RunInfo
	group ledger.Group
	end   *ledger.RunEnd
}

// writeRuns makes a ledger of some runs, and returns its name.
func writeRuns(t *testing.T, runs ...runOf) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	for i := range runs {
		l, err := ledger.Open(path, ledger.Options{Run: runs[i].info})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Commit(&runs[i].group); err != nil {
			t.Fatal(err)
		}
		if runs[i].end != nil {
			err = l.End(*runs[i].end)
		}
		if closed := l.Close(); err != nil || closed != nil {
			t.Fatal(err, closed)
		}
	}
	return path
}

func mustReport(t *testing.T, o Options, paths ...string) *Report {
	t.Helper()
	r, err := New(o, paths...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// edited is a result of the same id under another request.
func edited(n int) ledger.Result {
	r := testResult(n)
	r.Request = testResult(n + 1000).Request
	return r
}

// misfit is an answer that does not fit its schema, and the failure that says so.
func misfit(n int) (ledger.Result, ledger.Failure) {
	r, f := testResult(n), testFailure(n)
	r.Misfit, f.Misfit, f.Type, f.Code, f.Status = "/a", "/a", "schema", "misfit", 0
	return r, f
}

func TestCostOfAskingAgainIsNullIfNoneIsKnown(t *testing.T) {
	bad, _ := misfit(1)
	priced, unpriced := testResult(1), testResult(1)
	priced.Earlier.Turns, priced.CostNanos, priced.CostKnown = 1, 7, true
	unpriced.Earlier.Turns, unpriced.CostNanos, unpriced.CostKnown = 1, 0, false
	for name, c := range map[string]struct {
		again []ledger.Result
		want  string
	}{
		"not asked": {nil, "0"},
		"unpriced":  {[]ledger.Result{unpriced}, "null"},
		"both":      {[]ledger.Result{unpriced, priced}, "0.000000007"},
	} {
		group := ledger.Group{Results: append([]ledger.Result{bad}, c.again...)}
		r := mustReport(t, testOptions(), writeRuns(t, runOf{info: ledger.RunInfo{ID: "run"}, group: group}))
		if got, err := json.Marshal(r.Schema.Cost); err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, c.want)
		}
	}
}

func TestRecordsCountByTheirLastOutcome(t *testing.T) {
	badResult, badFailure := misfit(1)
	same := testResult(2)
	same.SameAs, same.CostNanos = []byte(`"r1"`), 0
	results := func(r ...ledger.Result) ledger.Group { return ledger.Group{Results: r} }
	failures := func(f ...ledger.Failure) ledger.Group { return ledger.Group{Failures: f} }
	for name, c := range map[string]struct {
		groups []ledger.Group
		want   Records
		open   string
	}{
		"answered":            {[]ledger.Group{results(testResult(1), testResult(2))}, Records{Answered: 2, IDs: 2}, ""},
		"failed":              {[]ledger.Group{failures(testFailure(1))}, Records{Failed: 1, IDs: 1}, "r1"},
		"failed twice":        {[]ledger.Group{failures(testFailure(1)), failures(testFailure(1))}, Records{Failed: 1, IDs: 1}, "r1"},
		"answered later":      {[]ledger.Group{failures(testFailure(1)), results(testResult(1))}, Records{Answered: 1, Later: 1, IDs: 1}, ""},
		"failed, and was not": {[]ledger.Group{results(testResult(1)), failures(testFailure(1))}, Records{Answered: 1, IDs: 1}, ""},
		"answered twice":      {[]ledger.Group{results(testResult(1)), results(testResult(1))}, Records{Answered: 1, IDs: 1}, ""},
		"under two requests":  {[]ledger.Group{results(testResult(1)), results(edited(1))}, Records{Answered: 2, IDs: 1}, ""},
		"mended and answered": {[]ledger.Group{failures(testFailure(1)), results(edited(1))}, Records{Answered: 1, Later: 1, IDs: 1}, ""},
		"some of them open": {
			[]ledger.Group{failures(testFailure(1), testFailure(2), testFailure(3)), results(testResult(2))},
			Records{Answered: 1, Later: 1, Failed: 2, IDs: 3}, "r1 r3",
		},
		"does not fit": {[]ledger.Group{results(badResult)}, Records{Failed: 1, IDs: 1}, "r1"},
		"does not fit at last": {
			[]ledger.Group{{Results: []ledger.Result{badResult}, Failures: []ledger.Failure{badFailure}}}, Records{Failed: 1, IDs: 1}, "r1",
		},
		"fits in the end": {[]ledger.Group{results(badResult), results(testResult(1))}, Records{Answered: 1, IDs: 1}, ""},
		"fits no more":    {[]ledger.Group{results(testResult(1)), results(badResult)}, Records{Failed: 1, IDs: 1}, "r1"},
		"the same":        {[]ledger.Group{results(testResult(1), same)}, Records{Answered: 2, IDs: 2, Same: 1}, ""},
	} {
		var runs []runOf
		for i, g := range c.groups {
			runs = append(runs, runOf{info: ledger.RunInfo{ID: fmt.Sprint("run", i)}, group: g})
		}
		r := mustReport(t, testOptions(), writeRuns(t, runs...))
		c.want.Total, c.want.Flagged = c.want.Answered+c.want.Failed, []FlagCount{}
		if !reflect.DeepEqual(r.Records, c.want) {
			t.Errorf("%s: %+v, want %+v", name, r.Records, c.want)
		}
		var open []string
		for _, f := range r.Open {
			open = append(open, f.ID)
		}
		if got := strings.Join(open, " "); got != c.open {
			t.Errorf("%s: %q are open, want %q", name, got, c.open)
		}
		stillOpen := int64(0)
		for _, e := range r.Errors {
			stillOpen += e.Open
		}
		if r.Total.Results != c.want.Answered || r.Total.Failures != c.want.Failed || stillOpen != c.want.Failed {
			t.Errorf("%s: the rows say %+v, and %+v", name, r.Total, r.Errors)
		}
	}
}

// However many records fail, a bounded number is told of one by one, and those that are answered
// make room for others.
func TestOpenFailuresAreBounded(t *testing.T) {
	var first, second, third ledger.Group
	for n := range 3 * mostOpen {
		first.Failures = append(first.Failures, testFailure(n))
		if n >= 5 {
			second.Results = append(second.Results, testResult(n))
		}
	}
	for n := range 10 {
		third.Failures = append(third.Failures, testFailure(5*mostOpen+n))
	}
	path := writeRuns(t, runOf{group: first})
	if r := mustReport(t, testOptions(), path); r.Records.Failed != 3*mostOpen || len(r.Open) != mostOpen || r.Open[0].ID != "r0" {
		t.Errorf("%d failed, of which %d are told of from %s on", r.Records.Failed, len(r.Open), r.Open[0].ID)
	}
	path = writeRuns(t, runOf{group: first}, runOf{group: second}, runOf{group: third})
	r := mustReport(t, testOptions(), path)
	if r.Records.Failed != 15 || len(r.Open) != 15 || r.Open[14].ID != fmt.Sprintf("r%d", 5*mostOpen+9) {
		t.Errorf("%d failed, of which %d are told of: %+v", r.Records.Failed, len(r.Open), r.Open)
	}
}

func TestReportTellsOfRunsAndBudgets(t *testing.T) {
	yesterday, today := testTime(), testTime().Add(24*time.Hour)
	first, second := testResult(1), testResult(2)
	first.CostNanos, second.CostNanos, second.Time = 2e9, 3e9, today.Add(time.Minute)
	failed := testFailure(3)
	failed.Time, failed.MayCostNanos = today, 1e9
	path := writeRuns(t,
		runOf{
			ledger.RunInfo{ID: "one", Time: yesterday, Mode: "realtime", BudgetNanos: 100e9},
			ledger.Group{Results: []ledger.Result{first}},
			&ledger.RunEnd{Time: yesterday.Add(time.Hour), Exit: 3, In: 5, OK: 3, Failed: 2, Skipped: 1, Retries: 7, Status429: 9},
		},
		runOf{
			ledger.RunInfo{ID: "two", Time: today, Mode: "realtime", BudgetNanos: 50e9, DailyNanos: 10e9},
			ledger.Group{Results: []ledger.Result{second}, Failures: []ledger.Failure{failed}}, nil,
		},
	)
	r := mustReport(t, Options{Now: today.Add(time.Hour)}, path)
	if len(r.LastRuns) != 2 || r.Runs != 2 {
		t.Fatalf("runs %+v", r.LastRuns)
	}
	one, two := r.LastRuns[0], r.LastRuns[1]
	if want := (RunCounts{Answered: 2, Failed: 2, Skipped: 1, Retries: 7, Limited: 9, Cost: 2e9}); one.Counts != want || *one.Exit != 3 ||
		!one.Ended.Equal(yesterday.Add(time.Hour)) {
		t.Errorf("the first run is %+v", one)
	}
	if want := (RunCounts{Answered: 1, Failed: 1, Retries: 5, Cost: 3e9}); two.Counts != want || two.Exit != nil || two.UnderWay ||
		!two.Ended.Equal(second.Time) {
		t.Errorf("the second run is %+v", two)
	}
	if want := (Attempts{Answers: 2, Failures: 1, Retries: 12, Limited: 9, UnknownRuns: 1}); r.Attempts != want {
		t.Errorf("attempts %+v, want %+v", r.Attempts, want)
	}
	if len(r.Budgets) != 1 {
		t.Fatalf("budgets %+v", r.Budgets)
	}
	b := r.Budgets[0]
	if b.Ledger != path || *b.Total != 50e9 || b.Spent != 6e9 || *b.Left != 44e9 || *b.Daily != 10e9 || b.Today != 4e9 || *b.LeftToday != 6e9 {
		t.Errorf("the budget is %+v, %v left, %v of today", b, *b.Left, *b.LeftToday)
	}
	if r := mustReport(t, Options{Now: today.Add(24 * time.Hour)}, path); *r.Budgets[0].LeftToday != 10e9 {
		t.Errorf("on the next day %v are left", *r.Budgets[0].LeftToday)
	}
}

// What is set aside for a batch that is not collected is not left of a budget.
func TestReportSetsBatchesAside(t *testing.T) {
	result := testResult(1)
	result.Shard, result.CostNanos = "s1", 1e9
	intent := func(shard string, n int) ledger.ShardEntry {
		r := testResult(n)
		return ledger.ShardEntry{
			Step: ledger.ShardIntent, Shard: shard, Time: testTime(), Provider: "p", ReservedNanos: 2e9,
			Records: []ledger.ShardRecord{{ID: r.ID, Request: r.Request}},
		}
	}
	path := writeRuns(t, runOf{info: ledger.RunInfo{ID: "one", Mode: "batch", BudgetNanos: 10e9}, group: ledger.Group{
		Results: []ledger.Result{result},
		Shards: []ledger.ShardEntry{
			intent("s1", 1), {Step: ledger.ShardCollected, Shard: "s1", Time: testTime(), State: "completed", Answered: 1}, intent("s2", 2),
		},
	}})
	r := mustReport(t, testOptions(), path)
	if r.Batches == nil || *r.Batches != (Batches{Made: 2, Pending: 1, SetAside: 2e9, Cost: 1e9}) || r.Records.Batch != 1 {
		t.Errorf("batches %+v, records %+v", r.Batches, r.Records)
	}
	if *r.Budgets[0].Left != 7e9 {
		t.Errorf("%v are left", *r.Budgets[0].Left)
	}
}

// Runs of which nobody reads any more are left out, and still count.
func TestRunsAreBounded(t *testing.T) {
	var r runs
	for n := range mostRuns + 10 {
		r.add(&ledger.RunInfo{ID: fmt.Sprint(n), Time: testTime().Add(time.Duration(n) * time.Second)})
	}
	if list := r.list(false); len(list) != mostRuns || list[0].ID != "10" || len(r.byID) != mostRuns {
		t.Errorf("%d runs are kept, from %s on", len(list), list[0].ID)
	}
}
