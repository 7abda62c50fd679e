package ledger

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func testTime() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC) }

// testResult returns the n-th of a series of different results.
func testResult(n int) Result {
	return Result{
		Record: Record{
			ID:               fmt.Appendf(nil, `"r%d"`, n),
			Request:          sha256.Sum256(fmt.Appendf(nil, "request %d", n)),
			Endpoint:         "chat",
			Model:            "gpt-4o-mini",
			Provider:         "api.openai.com",
			PromptTokens:     12,
			CompletionTokens: 20,
			CostNanos:        13800,
			CostKnown:        true,
			Attempts:         1,
			LatencyMS:        int64(100 + n),
			Time:             testTime(),
		},
		Response: fmt.Appendf(nil, `{"choices":[{"message":{"content":"answer %d"}}]}`, n),
	}
}

func testFailure(n int) Failure {
	r := testResult(n).Record
	r.PromptTokens, r.CompletionTokens, r.CostNanos, r.Attempts, r.LatencyMS = 0, 0, 0, 6, 90
	return Failure{Record: r, Type: "rate_limit", Code: "rate_limit_exceeded", Status: 429, Message: "slow \"down\"\n"}
}

func keyOf(r *Result) Key { return KeyOf(r.ID, &r.Request) }

func testPath(t testing.TB) string { return filepath.Join(t.TempDir(), "ledger.jsonl") }

func mustOpen(t testing.TB, path string, o Options) *Ledger {
	t.Helper()
	l, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func mustCommit(t testing.TB, l *Ledger, b *Group) {
	t.Helper()
	if err := l.Commit(b); err != nil {
		t.Fatal(err)
	}
}

// resultsOf returns a group of the results from..to-1.
func resultsOf(from, to int) *Group {
	b := new(Group)
	for n := from; n < to; n++ {
		b.Results = append(b.Results, testResult(n))
	}
	return b
}

// checkHas fails unless the ledger holds the result, whole.
func checkHas(t testing.TB, l *Ledger, want Result) {
	t.Helper()
	var got Result
	found := l.Look(keyOf(&want))
	if found.Result == 0 {
		t.Fatalf("%s is not there", want.ID)
	}
	if err := l.ReadMatch(found.Result, want.ID, &want.Request, &got); err != nil {
		t.Fatal(err)
	}
	if g, w := describe(got), describe(want); g != w {
		t.Fatalf("read back\n%s\nwant\n%s", g, w)
	}
}

// describe is all that a result says, in words.
func describe(r Result) string {
	return fmt.Sprintf("id %s response %s %+v downgraded from %q, %d cached, %d of reasoning",
		r.ID, r.Response, r.Record, r.DowngradedFrom, r.CachedTokens, r.ReasoningTokens)
}

func TestResultsSurviveReopening(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{Run: RunInfo{ID: "run1", Time: testTime()}})
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the file exists before the first commit: %v", err)
	}
	full := testResult(3)
	full.ID = []byte(`1e3`)
	full.DowngradedFrom, full.CachedTokens, full.ReasoningTokens = `gpt "4" `+"\u2028", 5, 6
	full.CostKnown, full.CostNanos = false, 0
	bare := Result{Record: Record{ID: []byte(`"\u0041"`), CostKnown: true}, Response: []byte(`null`)}
	b := resultsOf(0, 3)
	b.Results = append(b.Results, full, bare)
	b.Failures = append(b.Failures, testFailure(9))
	mustCommit(t, l, b)

	for i, ledger := range []*Ledger{l, mustOpen(t, path, Options{})} {
		own := int64(3*13800) * int64(1-i) // the first has committed it
		for _, want := range b.Results {
			checkHas(t, ledger, want)
		}
		if got, want := ledger.Summary(), (Summary{Results: 5, SpentNanos: 3 * 13800, UnknownCost: 1, OwnNanos: own}); got != want {
			t.Errorf("summary %+v, want %+v", got, want)
		}
		failed := testFailure(9)
		if found := ledger.Look(KeyOf(failed.ID, &failed.Request)); found != (Found{}) {
			t.Errorf("a failure counts as recorded: %+v", found)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte(`{"kind":"run","format":1,`)); n != 1 || !bytes.HasPrefix(data, []byte(runStart)) {
		t.Errorf("%d run lines, want one, first", n)
	}
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, `{"kind":"`) || len(line) < 20 {
			t.Errorf("line %q", line)
		}
	}
}
