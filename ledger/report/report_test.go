package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"llmpipe/ledger"
)

var update = flag.Bool("update", false, "write the golden files anew")

// testOptions are for a day on which nothing was asked.
func testOptions() Options { return Options{Now: testTime().Add(48 * time.Hour)} }

func testTime() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC) }

// testResult returns the n-th of a series of different results.
func testResult(n int) ledger.Result {
	return ledger.Result{
		Record: ledger.Record{
			ID: fmt.Appendf(nil, `"r%d"`, n), Request: sha256.Sum256(fmt.Appendf(nil, "request %d", n)),
			Endpoint: "chat", Model: "gpt-4o-mini", Provider: "api.openai.com",
			PromptTokens: 12, CompletionTokens: 20, CostNanos: 13800, CostKnown: true,
			Attempts: 1, LatencyMS: int64(100 + n), Time: testTime(),
		},
		Response: fmt.Appendf(nil, `{"choices":[{"message":{"content":"answer %d"}}]}`, n),
	}
}

func testFailure(n int) ledger.Failure {
	r := testResult(n).Record
	r.PromptTokens, r.CompletionTokens, r.CostNanos, r.Attempts, r.LatencyMS = 0, 0, 0, 6, 90
	return ledger.Failure{Record: r, Type: "rate_limit", Code: "rate_limit_exceeded", Status: 429, Message: "slow \"down\"\n"}
}

// writeLedger makes a ledger of one group, and returns its name.
func writeLedger(t *testing.T, o ledger.Options, g *ledger.Group) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, err := ledger.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(g); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// reportLedger writes a ledger of results of two models, one without a price, and of three kinds of
// failure.
func reportLedger(t *testing.T, o ledger.Options) string {
	t.Helper()
	var g ledger.Group
	for n := range 200 {
		r := testResult(n)
		r.LatencyMS = int64(10 * (n + 1))
		r.Time = testTime().Add(time.Duration(n) * time.Minute)
		if n%4 == 0 {
			r.Model, r.Provider, r.CostKnown, r.CachedTokens, r.ReasoningTokens = "local\x1b[31m\tllama", "", false, 3, 4
		}
		g.Results = append(g.Results, r)
	}
	billed, timedOut := testFailure(300), testFailure(301)
	billed.Type, billed.Code, billed.Status = "content_policy", "", 200
	billed.Billed, billed.CostNanos, billed.PromptTokens, billed.CompletionTokens = true, 5e9, 100, 1000
	timedOut.Type, timedOut.Code, timedOut.Status = "timeout", "", 0
	timedOut.Time = testTime().Add(-time.Hour)
	g.Failures = []ledger.Failure{testFailure(302), billed, timedOut, testFailure(303)}
	return writeLedger(t, o, &g)
}

func TestReport(t *testing.T) {
	r, err := New(testOptions(), reportLedger(t, ledger.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "report.json")
	if *update {
		if err := os.WriteFile(golden, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := append(data, '\n'); !bytes.Equal(got, want) {
		t.Errorf("the report is\n%s\nwant\n%s", got, want)
	}
}

func TestReportAddsLedgersUp(t *testing.T) {
	path := reportLedger(t, ledger.Options{})
	compressed := path + ".gz"
	compress(t, path, compressed)
	one, err := New(testOptions(), path)
	if err != nil {
		t.Fatal(err)
	}
	two, err := New(testOptions(), path, compressed)
	if err != nil {
		t.Fatal(err)
	}
	// The records are the same, and their answers were paid for twice.
	if two.Total.Results != one.Total.Results || two.Attempts.Answers != 2*one.Attempts.Answers || *two.Total.Cost != 2**one.Total.Cost ||
		two.Runs != 2 ||
		two.Total.Latency != one.Total.Latency || len(two.Models) != len(one.Models) {
		t.Errorf("twice %+v is %+v", one, two)
	}
	if _, err := New(testOptions(), path, path+".none"); err == nil {
		t.Error("no error for a ledger that is not there")
	}
}

// compress writes a file as gzip under another name.
func compress(t *testing.T, name, compressed string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err = w.Write(data)
	if err := errors.Join(err, w.Close(), os.WriteFile(compressed, out.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// What a shard has cost stands on the lines of its results too, and counts once.
func TestReportPassesShardsOver(t *testing.T) {
	result, failure := testResult(0), testFailure(1)
	result.Shard, failure.Shard = "s1", "s1"
	path := writeLedger(t, ledger.Options{}, &ledger.Group{
		Results: []ledger.Result{result}, Failures: []ledger.Failure{failure},
		Shards: []ledger.ShardEntry{
			{
				Step: ledger.ShardIntent, Shard: "s1", Time: testTime(), Provider: "api.openai.com",
				Records: []ledger.ShardRecord{{ID: result.ID, Request: result.Request}, {ID: failure.ID, Request: failure.Request}},
			},
			{
				Step: ledger.ShardCollected, Shard: "s1", Time: testTime(), State: "completed",
				Answered: 1, Failed: 1, CostNanos: 13800, CostKnown: true,
			},
		},
	})
	r, err := New(testOptions(), path)
	if err != nil || r.Total.Results != 1 || r.Total.Failures != 1 || *r.Total.Cost != 13800 {
		t.Errorf("report %+v, %v", r, err)
	}
}

// What a budget counts for attempts of which nobody said what they cost, and for batches that were
// given up, the report says too.
func TestReportSaysWhatMayHaveBeenSpent(t *testing.T) {
	result, failure := testResult(0), testFailure(1)
	result.MayCostNanos, failure.MayCostNanos = 7, 11
	path := writeLedger(t, ledger.Options{}, &ledger.Group{
		Results: []ledger.Result{result}, Failures: []ledger.Failure{failure},
		Shards: []ledger.ShardEntry{
			{
				Step: ledger.ShardIntent, Shard: "s1", Time: testTime(), Provider: "api.openai.com",
				Records: []ledger.ShardRecord{{ID: failure.ID, Request: failure.Request}},
			},
			{Step: ledger.ShardCollected, Shard: "s1", Time: testTime(), State: "forgotten", MayCostNanos: 13},
		},
	})
	l, err := ledger.Open(path, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kept := l.Summary().KeptNanos
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := New(testOptions(), path); err != nil || int64(r.Kept) != kept || kept != 7+11+13 {
		t.Errorf("the report says %v, the ledger %d, %v", r, kept, err)
	}
}

func TestReportKeepsSimulatedApart(t *testing.T) {
	simulated := reportLedger(t, ledger.Options{Simulated: true})
	alone, err := New(testOptions(), simulated)
	if err != nil {
		t.Fatal(err)
	}
	if !alone.Simulated || alone.Total.Results != 200 || alone.SimulatedLeftOut != 0 || alone.Runs != 1 {
		t.Errorf("a simulated ledger alone: %+v", alone)
	}
	path := writeLedger(t, ledger.Options{}, &ledger.Group{Results: []ledger.Result{testResult(0)}})
	both, err := New(testOptions(), simulated, path)
	if err != nil {
		t.Fatal(err)
	}
	if both.Simulated || both.Total.Results != 1 || both.SimulatedLeftOut != 204 || *both.Total.Cost != 13800 || both.Runs != 1 {
		t.Errorf("beside a real one: %+v", both)
	}
}

func TestReportOfNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := New(testOptions(), path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "null") || strings.Contains(string(data), "first") {
		t.Errorf("JSON %s", data)
	}
}
