//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTwoProcessesOnOneInput asks each record once: what one process has asked the others wait for.
func TestTwoProcessesOnOneInput(t *testing.T) {
	t.Parallel()
	const records, processes = 400, 3
	dir := t.TempDir()
	prompts := writePrompts(t, dir, records)
	sim := startSim(t, "latency=20ms&jitter=0.9")
	var all [processes]*process
	for i := range all {
		all[i] = llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", "16", prompts)
		if err := all[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range all {
		if code := p.wait(t); code != 0 {
			t.Errorf("exit %d: %s", code, &p.err)
		}
		checkOnceEach(t, fmt.Sprint("process ", i), parseOutput(p.out.Bytes()).ids, records)
	}
	if n := sim.stats(t).Requests; n != records {
		t.Errorf("%d requests for %d records", n, records)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.run-*")); len(left) > 0 {
		t.Errorf("locks are left: %v", left)
	}
	if _, kept, atRisk := ledgerSays(t, filepath.Join(dir, "llmpipe.ledger.jsonl")); kept+atRisk != 0 {
		t.Errorf("%d may have been spent, %d are at risk", kept, atRisk)
	}
}

// TestTwinsWaitForAnotherProcess has records that are the same, or equal, wait together for what
// another process asks about: each has the answer, which is asked for once.
func TestTwinsWaitForAnotherProcess(t *testing.T) {
	t.Parallel()
	const once = `{"id":1,"prompt":"x"}` + "\n"
	for _, test := range []struct {
		name, input string
		results     int
		args        []string
	}{
		{"the same", once + once, 1, nil},
		{"equal", once + `{"id":2,"prompt":"x"}` + "\n" + once, 2, []string{"--dedupe"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir, answer := t.TempDir(), make(chan struct{})
			b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
				<-answer
				answerChat(w)
			})
			run := func(input string) *process {
				p := llmpipe(t, dir, append([]string{"--base-url", b.URL, "-m", "gpt-4o-mini"}, test.args...)...)
				p.Stdin = strings.NewReader(input)
				said := new(transcript)
				p.Stderr = said
				p.starts(t)
				eventually(t, "it asks, or waits", func() bool {
					return b.asked.Load() == 1 && (input == once || said.has("another process has sent"))
				})
				return p
			}
			first, second := run(once), run(test.input)
			time.Sleep(50 * time.Millisecond) // in which the others come to where they wait
			close(answer)
			for _, p := range []*process{first, second} {
				if code := p.wait(t); code != 0 {
					t.Errorf("exit %d, said %s", code, p.Stderr)
				}
			}
			if n := strings.Count(second.out.String(), `"content":"said"`); n != strings.Count(test.input, "\n") {
				t.Errorf("%d answers:\n%s", n, &second.out)
			}
			if n := len(recorded(t, filepath.Join(dir, "llmpipe.ledger.jsonl"))); n != test.results || b.asked.Load() != 1 {
				t.Errorf("%d results, %d requests", n, b.asked.Load())
			}
		})
	}
}

// TestAProcessWaitsForOneThatDies: its records are asked by the one that waited.
func TestAProcessWaitsForOneThatDies(t *testing.T) {
	t.Parallel()
	const records = 8
	dir := t.TempDir()
	prompts := writePrompts(t, dir, records)
	hang, answer := make(chan struct{}), make(chan struct{})
	back := newBackend(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n == records {
			close(hang)
		}
		if n <= records {
			select {
			case <-answer:
			case <-r.Context().Done():
			}
			return
		}
		answerChat(w)
	})
	first := llmpipe(t, dir, "--base-url", back.URL, "-m", "gpt-4o-mini", "-c", strconv.Itoa(records), prompts)
	first.starts(t)
	<-hang
	second := llmpipe(t, dir, "--base-url", back.URL, "-m", "gpt-4o-mini", "-c", strconv.Itoa(records), prompts)
	second.starts(t)
	eventually(t, "the second process asks the ledger", func() bool {
		locks, _ := filepath.Glob(filepath.Join(dir, "*.run-*"))
		return len(locks) == 2
	})
	time.Sleep(100 * time.Millisecond) // in which it would ask the server
	report := llmpipe(t, dir, "report", "llmpipe.ledger.jsonl")
	report.exits(t, 0)
	if !strings.Contains(report.out.String(), "8 requests in flight may cost up to $0.0") {
		t.Errorf("the report of what is in flight: %s", &report.out)
	}
	if n := back.asked.Load(); n != records {
		t.Errorf("%d requests while the first process lives", n)
	}
	_ = first.Process.Kill()
	_ = first.Wait()
	if code := second.wait(t); code != 0 {
		t.Fatalf("exit %d: %s", code, &second.err)
	}
	checkOnceEach(t, "the second", parseOutput(second.out.Bytes()).ids, records)
	if n := back.asked.Load(); n != 2*records {
		t.Errorf("%d requests, want %d", n, 2*records)
	}
	report = llmpipe(t, dir, "report", "llmpipe.ledger.jsonl")
	report.exits(t, 0)
	if !strings.Contains(report.out.String(), "8 requests in flight when their runs were killed may have cost up to $0.0") {
		t.Errorf("the report of what was in flight: %s", &report.out)
	}
	if !strings.Contains(second.err.String(), "another process has sent") {
		t.Errorf("it said %s", &second.err)
	}
}

// shareABudget has processes with inputs of their own spend one budget, and checks the bill.
func shareABudget(t *testing.T, processes, concurrency, each int, budget int64) {
	t.Helper()
	dir := t.TempDir()
	sim := startSim(t, "latency=5ms&jitter=0.5")
	all := make([]*process, processes)
	for i := range all {
		all[i] = llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", strconv.Itoa(concurrency),
			"--budget", strconv.FormatFloat(float64(budget)/dollar, 'f', 9, 64))
		all[i].Stdin = strings.NewReader(repeat(i*each, (i+1)*each-1, func(n int) string {
			return fmt.Sprintf(`{"id":%d,"prompt":"prompt number %[1]d","max_tokens":20}`, n)
		}))
		if err := all[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	var stderr bytes.Buffer
	for _, p := range all {
		if code := p.wait(t); code != 4 && code != 75 {
			t.Errorf("exit %d: %s", code, &p.err)
		}
		stderr.Write(p.err.Bytes())
	}
	bill := sim.stats(t).bill(t)
	if bill > budget || bill < budget/100*97 {
		t.Errorf("%d processes spent %.2f %% of one budget\n%s", processes, 100*float64(bill)/float64(budget), &stderr)
	}
	t.Logf("%d processes: %.2f %% of the budget", processes, 100*float64(bill)/float64(budget))
	spent, kept, atRisk := ledgerSays(t, filepath.Join(dir, "llmpipe.ledger.jsonl"))
	if spent != bill || kept != 0 || atRisk != 0 {
		t.Errorf("the bill is %d; the ledger says %d, that %d more may have been, and %d are at risk", bill, spent, kept, atRisk)
	}
}

// TestProcessesShareABudget spends one budget by several processes, and no more.
func TestProcessesShareABudget(t *testing.T) {
	t.Parallel()
	for _, processes := range []int{2, 4} {
		t.Run(strconv.Itoa(processes), func(t *testing.T) { shareABudget(t, processes, 32, 200, 2_000_000) })
	}
}

// TestTortureOfOneBudget is that with 256 in flight in each.
func TestTortureOfOneBudget(t *testing.T) {
	needsLong(t, "a minute")
	for _, processes := range []int{2, 4, 8} {
		t.Run(strconv.Itoa(processes), func(t *testing.T) { shareABudget(t, processes, 256, 4000, 20_000_000) })
	}
}
