package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestServedSimulatorIsNoProvider: what llmpipe sim answered over the network is there for the next
// rehearsal, and for nobody who asks in earnest; the other way around, what was paid for serves
// both.
func TestServedSimulatorIsNoProvider(t *testing.T) {
	const records = 6
	j := newLedgerJob(t, records)
	real := newBackend(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			http.NotFound(w, r)
			return
		}
		answerChat(w)
	})
	run := func(url string, skipped int) (said string) {
		t.Helper()
		p := llmpipe(t, j.dir, "-m", "gpt-4o-mini", "-l", "job.jsonl", "--budget", "1", "--set", "max_tokens=5",
			"--summary", "summary.json", "prompts.jsonl")
		p.Env = append(p.Env, "OPENAI_BASE_URL="+url)
		p.exits(t, 0)
		if s := readSummary(t, j.dir); s.OK != records || s.Skipped != skipped {
			t.Errorf("%s: %+v, want %d recorded before", url, s, skipped)
		}
		return p.err.String()
	}
	run(j.sim.URL, 0)
	if said := run(j.sim.URL, records); !strings.Contains(said, "6 recorded, $") {
		t.Errorf("a rehearsal that goes on said %q", said)
	}
	p := llmpipe(t, j.dir, "report", "job.jsonl")
	if code := p.exit(t); code != 0 || !strings.Contains(p.out.String(), "simulated") {
		t.Errorf("the report of a rehearsal: exit %d\n%s", code, &p.out)
	}
	if said := run(real.URL, 0); strings.Contains(said, "spent") {
		t.Errorf("a first run in earnest said %q", said)
	}
	if n := real.asked.Load(); n != records+1 { // and once whether it is a simulator
		t.Errorf("the provider was asked %d times, want %d", n, records+1)
	}
	run(real.URL, records)
	run(j.sim.URL, records)
	if n := j.sim.stats(t).Answered; n != records {
		t.Errorf("the simulator answered %d times, want %d", n, records)
	}
}

// What is simulated never passes for the real thing: each sum of money that a rehearsal says is
// marked.
func TestRehearsalSaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := writePrompts(t, dir, 6)
	sim := startSim(t, "latency=0&batch-latency=1ms")
	sums := regexp.MustCompile(`\$[0-9.]+`)
	for _, base := range []string{"sim:?batch-latency=1ms", sim.URL} {
		for _, args := range [][]string{
			{"run", "-l", "a.jsonl", "--budget", "1", "--set", "max_tokens=9"}, {"run", "-l", "a.jsonl", "--budget", "1", "--set", "max_tokens=9"},
			{"run", "-l", "b.jsonl", "--budget", "0.000025", "--set", "max_tokens=9"}, {"run", "-l", "c.jsonl", "--mode", "batch"},
			{"estimate", "-l", "d.jsonl", "--sample", "3"},
		} {
			p := llmpipe(t, dir, append(args, "--base-url", base, "-m", "gpt-4o-mini", name)...)
			p.exit(t)
			said := p.err.String()
			if args[0] == "estimate" {
				said, _, _ = strings.Cut(p.out.String(), "COST")
			}
			for line := range strings.Lines(said) {
				if sums.MatchString(line) && !strings.Contains(line, "(simulated)") {
					t.Errorf("%v at %s says %q", args, base, line)
				}
			}
			if !strings.Contains(said, "(simulated)") {
				t.Errorf("%v at %s says nothing of it:\n%s", args, base, said)
			}
		}
		p := llmpipe(t, dir, "batches", "-l", "c.jsonl", "--base-url", base)
		if p.exits(t, 0); !regexp.MustCompile(`completed +6 +0 +6 .* \$[0-9.]+ \(simulated\)`).MatchString(p.out.String()) {
			t.Errorf("the list of batches is\n%s", &p.out)
		}
		for _, ledger := range []string{"a.jsonl", "b.jsonl", "c.jsonl", "d.jsonl"} {
			if err := os.Remove(filepath.Join(dir, ledger)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Where only a lane is simulated, the part that is its is said, and what its answers would cost is
// told from what is paid.
func TestPartlySimulated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := writePrompts(t, dir, 10)
	b := newBackend(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
		if n > 4 {
			answerError(w, http.StatusBadGateway, "away")
			return
		}
		answerChat(w)
	})
	p := llmpipe(t, dir, "--base-url", b.URL, "-m", "gpt-4o-mini", "--no-ledger", "-c", "1", "--retries", "0",
		"--fallback", "url=sim:,model=gpt-4o-mini", "--summary", "summary.json", name)
	p.exits(t, 0)
	p.says(t, "10 in: 10 ok (6 simulated), 0 failed\n", " of it simulated) in ")
	var s struct {
		Simulated int     `json:"simulated"`
		All       bool    `json:"rehearsal"`
		Cost      float64 `json:"cost_usd"`
		Made      float64 `json:"simulated_usd"`
	}
	if readJSON(t, dir, "summary.json", &s); s.Simulated != 6 || s.All || s.Made <= 0 || s.Made >= s.Cost {
		t.Errorf("%+v", s)
	}
}

// inEarnest is the simulator as a provider that does not say what it is. It ends with the test.
func inEarnest(t testing.TB, sim *simServer) (base string) {
	t.Helper()
	forward := forwardTo(t, sim)
	forward.ModifyResponse = func(r *http.Response) error { r.Header.Del("Llmpipe-Simulated"); return nil }
	return serve(t, forward.ServeHTTP)
}
