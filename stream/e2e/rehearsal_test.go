package e2e

import (
	"net/http"
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

// inEarnest is the simulator as a provider that does not say what it is. It ends with the test.
func inEarnest(t testing.TB, sim *simServer) (base string) {
	t.Helper()
	forward := forwardTo(t, sim)
	forward.ModifyResponse = func(r *http.Response) error { r.Header.Del("Llmpipe-Simulated"); return nil }
	return serve(t, forward.ServeHTTP)
}
