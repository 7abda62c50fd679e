package ledger

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// reportLedger writes a ledger of results of two models, one without a price, and of three kinds of failure.
func reportLedger(t *testing.T, o Options) string {
	t.Helper()
	path := testPath(t)
	var b Batch
	for n := range 200 {
		r := testResult(n)
		r.LatencyMS = int64(10 * (n + 1))
		r.Time = testTime().Add(time.Duration(n) * time.Minute)
		if n%4 == 0 {
			r.Model, r.Provider, r.CostKnown, r.CachedTokens, r.ReasoningTokens = "local\x1b[31m\tllama", "", false, 3, 4
		}
		b.Results = append(b.Results, r)
	}
	billed, timedOut := testFailure(300), testFailure(301)
	billed.Type, billed.Code, billed.Status = "content_policy", "", 200
	billed.Billed, billed.CostNanos, billed.PromptTokens, billed.CompletionTokens = true, 5e9, 100, 1000
	timedOut.Type, timedOut.Code, timedOut.Status = "timeout", "", 0
	timedOut.Time = testTime().Add(-time.Hour)
	b.Failures = []Failure{testFailure(302), billed, timedOut, testFailure(303)}
	mustCommit(t, mustOpen(t, path, o), &b)
	return path
}

func TestReport(t *testing.T) {
	r, err := NewReport(reportLedger(t, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", table.Bytes())
	golden(t, "report.json", append(data, '\n'))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Error(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
	}
}

func TestReportAddsLedgersUp(t *testing.T) {
	path := reportLedger(t, Options{})
	compressed := path + ".gz"
	write(t, compressed, gzipped(t, read(t, path)))
	one, err := NewReport(path)
	if err != nil {
		t.Fatal(err)
	}
	two, err := NewReport(path, compressed)
	if err != nil {
		t.Fatal(err)
	}
	if two.Total.Results != 2*one.Total.Results || *two.Total.Cost != 2**one.Total.Cost || two.Runs != 2 ||
		two.Total.Latency != one.Total.Latency || len(two.Models) != len(one.Models) {
		t.Errorf("twice %+v is %+v", one, two)
	}
	if _, err := NewReport(path, path+".none"); err == nil {
		t.Error("no error for a ledger that is not there")
	}
}

func TestReportKeepsSimulatedApart(t *testing.T) {
	simulated := reportLedger(t, Options{Simulated: true})
	alone, err := NewReport(simulated)
	if err != nil {
		t.Fatal(err)
	}
	if !alone.Simulated || alone.Total.Results != 200 || alone.SimulatedLeftOut != 0 || alone.Runs != 1 {
		t.Errorf("a simulated ledger alone: %+v", alone)
	}
	path := testPath(t)
	mustCommit(t, mustOpen(t, path, Options{}), resultsOf(0, 1))
	both, err := NewReport(simulated, path)
	if err != nil {
		t.Fatal(err)
	}
	if both.Simulated || both.Total.Results != 1 || both.SimulatedLeftOut != 204 || *both.Total.Cost != 13800 || both.Runs != 1 {
		t.Errorf("beside a real one: %+v", both)
	}
	for report, want := range map[*Report]string{alone: "all of it simulated", both: "204 simulated records left out"} {
		var table strings.Builder
		if err := report.WriteTable(&table); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
}

func TestReportOfNothing(t *testing.T) {
	path := testPath(t)
	write(t, path, nil)
	r, err := NewReport(path)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	if want := "0 results, 0 failures, 0 runs\n"; table.String() != want {
		t.Errorf("table %q, want %q", table.String(), want)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "null") || strings.Contains(string(data), "first") {
		t.Errorf("JSON %s", data)
	}
}

func TestPercentilesAreWithinTwoPerCent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(
			rapid.Int64Range(0, 200), rapid.Int64Range(0, 600_000), rapid.Int64Range(0, math.MaxInt64),
		), 1, 200).Draw(t, "values")
		var h histogram
		for _, v := range values {
			h.add(v)
		}
		slices.Sort(values)
		for _, percent := range []int64{1, 50, 90, 99, 100} {
			exact := values[(int64(len(values))*percent+99)/100-1]
			got := h.percentile(percent)
			if math.Abs(float64(got-exact)) > 0.02*float64(exact) {
				t.Fatalf("p%d is %d, want about %d", percent, got, exact)
			}
		}
	})
	var none, negative histogram
	negative.add(-5)
	if none.percentile(50) != 0 || negative.percentile(50) != 0 {
		t.Error("percentiles of nothing, or of negative values, are not 0")
	}
}
