package e2e

import (
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"
)

// boundedFrom are n records with a known worst case, from one number on.
func boundedFrom(first, n int) string {
	return repeat(first, first+n-1, func(i int) string {
		return fmt.Sprintf(`{"id":%d,"prompt":"prompt number %05[1]d","max_tokens":8}`, i)
	})
}

// Batches of processes that begin at the same moment keep one budget together, also beside
// processes that ask at once. Each of the inputs alone can cost most of it.
func TestBatchesOfProcessesShareABudget(t *testing.T) {
	t.Parallel()
	const each, budget = 60, 300_000
	for name, modes := range map[string][]string{
		"two":           {"batch", "batch"},
		"four":          {"batch", "batch", "batch", "batch"},
		"with realtime": {"batch", "realtime", "batch", "realtime"},
		"with hybrid":   {"batch", "hybrid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, dir := startSim(t, "latency=5ms&batch-latency=200ms"), t.TempDir()
			var all []*process
			var pipes []io.WriteCloser
			for i, mode := range modes {
				p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "--mode", mode, "-c", "16",
					"--budget", strconv.FormatFloat(budget/float64(dollar), 'f', 9, 64))
				in, err := p.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				p.starts(t)
				if _, err := io.WriteString(in, boundedFrom(i*each, each)); err != nil {
					t.Fatal(err)
				}
				all, pipes = append(all, p), append(pipes, in)
			}
			time.Sleep(200 * time.Millisecond) // in which they open the ledger, to end at the same moment
			for _, in := range pipes {
				_ = in.Close()
			}
			for i, p := range all {
				if code := p.wait(t); code != 0 && code != 4 && code != 75 {
					t.Errorf("process %d: exit %d: %s", i, code, &p.err)
				}
			}
			bill := sim.stats(t).bill(t)
			t.Logf("%s: %.2f %% of the budget", name, 100*float64(bill)/budget)
			if bill > budget || bill == 0 {
				t.Errorf("the bill is %d of %d", bill, budget)
			}
		})
	}
}

// A record that a process asks about at once goes into no batch of another, whose run waits for its
// answer; and asks it itself when that process dies.
func TestBatchWaitsForWhatIsAsked(t *testing.T) {
	t.Parallel()
	for name, dies := range map[string]bool{"answered": false, "killed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const records = 8
			dir := t.TempDir()
			latency := "latency=1s"
			if dies {
				latency = "latency=60s"
			}
			slow, quick := startSim(t, latency), startSim(t, "latency=0s&batch-latency=50ms")
			in := writeFile(t, dir, "asked.jsonl", numbered(1, records))
			first := llmpipe(t, dir, "--base-url", slow.URL, "-m", "gpt-4o-mini", "-c", strconv.Itoa(records), in)
			first.starts(t)
			eventually(t, "all are at risk", func() bool { return slow.stats(t).Requests == records })
			second := llmpipe(t, dir, byBatch(quick.URL, writeFile(t, dir, "all.jsonl", numbered(1, 3*records)))...)
			said := new(transcript)
			second.Stderr = said
			second.starts(t)
			eventually(t, "the batch of the others", func() bool { return quick.batches(t).Answered == 2*records })
			if !said.has("another process has sent") {
				t.Errorf("it said %s", said)
			}
			if dies {
				_ = first.Process.Kill()
			}
			if code := first.wait(t); code != 0 && !dies {
				t.Errorf("the first: exit %d: %s", code, &first.err)
			}
			if code := second.wait(t); code != 0 || len(contents(t, second)) != 3*records {
				t.Errorf("exit %d, %d lines: %s", code, len(second.lines()), said)
			}
			want := 2 * records
			if dies {
				want = 3 * records
			}
			if n := quick.batches(t).Answered; n != want {
				t.Errorf("%d records in batches, want %d", n, want)
			}
		})
	}
}
