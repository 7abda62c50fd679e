package ledger

import (
	"reflect"
	"strings"
	"testing"
)

// ends returns the runs and the ends that a ledger has lines of.
func ends(t *testing.T, path string) (runs []RunInfo, ends []RunEnd) {
	t.Helper()
	err := Scan(path, nil, func(e Entry) error {
		switch {
		case e.Run != nil:
			runs = append(runs, *e.Run)
		case e.End != nil:
			ends = append(ends, *e.End)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return runs, ends
}

func TestARunSaysHowItEnds(t *testing.T) {
	for _, simulated := range []bool{false, true} {
		path := testPath(t)
		run := RunInfo{ID: "run1", Time: testTime(), Mode: "hybrid", BudgetNanos: 5e9, DailyNanos: 1_230_000_000, Simulated: simulated}
		l := mustOpen(t, path, Options{Run: run, Simulated: simulated})
		mustCommit(t, l, resultsOf(0, 1))
		end := RunEnd{Time: testTime(), Exit: 130, In: 1, OK: 2, Failed: 3, Skipped: 4, Unsent: 5, Retries: 6, Status429: 7}
		if err := l.End(end); err != nil {
			t.Fatal(err)
		}
		end.Run, end.Simulated = "run1", simulated
		gotRuns, gotEnds := ends(t, path)
		if !reflect.DeepEqual(gotRuns, []RunInfo{run}) || !reflect.DeepEqual(gotEnds, []RunEnd{end}) {
			t.Errorf("the ledger has %+v and %+v, want %+v and %+v", gotRuns, gotEnds, run, end)
		}
		// Who opens it knows the line, and so does who goes on.
		again := mustOpen(t, path, Options{Run: RunInfo{ID: "run2"}, Simulated: true})
		want := testResult(0)
		want.Simulated = simulated
		checkHas(t, again, want)
		mustCommit(t, again, resultsOf(1, 2))
		mustCommit(t, l, resultsOf(2, 3))
	}
}

func TestARunThatWroteNothingSaysNothing(t *testing.T) {
	path := testPath(t)
	mustCommit(t, mustOpen(t, path, Options{Run: RunInfo{ID: "run1"}}), resultsOf(0, 1))
	before := read(t, path)
	l := mustOpen(t, path, Options{Run: RunInfo{ID: "run2"}})
	if err := l.End(RunEnd{}); err != nil || string(read(t, path)) != string(before) {
		t.Errorf("%v: the ledger is %s", err, strings.TrimPrefix(string(read(t, path)), string(before)))
	}
}
