package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// Through every kind of trouble at once, each record gets its answer, once.
func TestNothingIsLostInTrouble(t *testing.T) {
	t.Parallel()
	const records = 500 // the longest of their waits is what this takes
	sim := startSim(t, "latency=1ms&fail=0.1&reset=0.05&pressure=0.05&retry-after=1ms&garbage=0.02&hang=0.01&seed=1")
	dir := t.TempDir()
	name := writePrompts(t, dir, records)
	p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "m", "-c", "64", "--timeout", "1s", "--retries", "20",
		"--rpm", "1000000", "--tpm", "1000000000", "--fsync", "never",
		"-f", "text", "--summary", "summary.json", name)
	p.exits(t, 0)
	if n := len(p.lines()); n != records {
		t.Errorf("%d lines for %d records", n, records)
	}
	if s := readSummary(t, dir); s.In != records || s.OK != records || s.Retries < records/10 || s.Status429 == 0 {
		t.Errorf("summary %+v", s)
	}
	if n := strings.Count(export(t, dir, "llmpipe.ledger.jsonl"), "\n"); n != records {
		t.Errorf("%d results are recorded", n)
	}
	if c := sim.stats(t); c.Answered < records || c.ByStatus["500"] == 0 || c.ByStatus["429"] == 0 {
		t.Errorf("the simulator was not asked to fail: %+v", c)
	}
}

// export is what the ledger called name in dir holds.
func export(t *testing.T, dir, name string) string {
	t.Helper()
	p := llmpipe(t, dir, "export", "--ledger", name)
	p.exits(t, 0)
	return p.out.String()
}

// A provider that only ever says 429 is waited for, but not for ever; and what waits behind it
// costs no memory.
func TestNothingBut429(t *testing.T) {
	t.Parallel()
	const records = 1_000_000
	b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After-Ms", "50")
		answerError(w, http.StatusTooManyRequests, "rate_limit_exceeded")
	})
	p := llmpipe(t, t.TempDir(), "--base-url", b.URL, "-m", "m", "-c", "16", "--give-up", "2s", "--summary", "summary.json")
	feed(t, p, records, false)
	p.starts(t)
	eventually(t, "records wait to be asked again", func() bool { return b.asked.Load() >= 16+1 })
	checkMemory(t, p)
	if code := p.wait(t); code != 75 {
		t.Errorf("exit %d", code)
	}
	// Twice the concurrency may be queued and in flight, 4,096 asleep, and the reader holds one.
	if s := readSummary(t, p.Dir); s.OK != 0 || s.Failed != 0 || s.Unsent != s.In || s.In > 2*16+4096+1 || s.In < 16 {
		t.Errorf("summary %+v", s)
	}
	if len(p.lines()) != 0 {
		t.Errorf("printed %q", p.out.String())
	}
	if said := p.err.String(); !strings.Contains(said, "gave up") || !strings.Contains(said, "429") {
		t.Errorf("said\n%s", said)
	}
}

// A provider that is not there is waited for in the same way, and the message says what is the
// matter.
func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := llmpipe(t, dir, "--base-url", closedPort(t), "-m", "m", "-c", "8", "--give-up", "1s", "--summary", "summary.json",
		writePrompts(t, dir, 100))
	if code := p.exit(t); code != 75 {
		t.Errorf("exit %d", code)
	}
	if s := readSummary(t, dir); s.OK != 0 || s.Failed != 0 || s.Unsent != s.In || s.In > 100 {
		t.Errorf("summary %+v", s)
	}
	if said := p.err.String(); !strings.Contains(said, "connection refused") {
		t.Errorf("said\n%s", said)
	}
}
