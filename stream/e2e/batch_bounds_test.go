package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// A batch has as many inputs for embeddings as the provider takes over all its requests.
func TestBatchOfManyInputs(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=50ms")
	g := newGateway(t, sim, nil)
	dir := t.TempDir()
	inputs := strings.Repeat(`"x",`, 999) + `"x"`
	name := writeFile(t, dir, "in.jsonl", repeat(1, 60, func(i int) string {
		return fmt.Sprintf(`{"id":"%d","model":"text-embedding-3-small","input":[%s]}`, i, inputs)
	}))
	p := llmpipe(t, dir, byBatch(g.URL, "--endpoint", "embeddings", "-f", "raw", name)...)
	if code := p.exit(t); code != 0 || len(p.lines()) != 60 {
		t.Fatalf("exit %d, %d lines: %s", code, len(p.lines()), p.err.String())
	}
	var sizes []int
	for _, upload := range g.uploads() {
		sizes = append(sizes, len(upload))
	}
	if len(sizes) != 2 || sizes[0] != 50 && sizes[1] != 50 {
		t.Errorf("batches of %d requests, each with 1,000 inputs", sizes)
	}
}

// What a provider, or a gateway before it, refuses as too large goes in smaller files; a single
// request that is too large is that record's error.
func TestBatchThatIsTooLarge(t *testing.T) {
	t.Parallel()
	for _, by := range []func(string, ...string) []string{byBatch, byMessageBatch} {
		sim := startSim(t, "latency=0s&batch-latency=20ms&file-max=5000")
		dir := t.TempDir()
		large := fmt.Sprintf(`{"id":"large","prompt":%q}`, strings.Repeat("x", 6000))
		p := llmpipe(t, dir, by(sim.URL, writeFile(t, dir, "in.jsonl", numbered(1, 100)+large+"\n"))...)
		if code := p.exit(t); code != 3 {
			t.Errorf("exit %d: %s", code, p.err.String())
		}
		ok, failed := 0, ""
		for _, r := range p.results(t) {
			if r.Error == nil {
				ok++
			} else {
				failed += string(r.ID)
			}
		}
		c := sim.batches(t)
		if ok != 100 || failed != `"large"` || c.Answered != 100 || c.Batches > 16 {
			t.Errorf("%d answered, %s failed; the simulator counted %+v: %s", ok, failed, c, p.err.String())
		}
		if n := strings.Count(p.err.String(), "half as large"); n != 1 {
			t.Errorf("said %d times:\n%s", n, p.err.String())
		}
	}
}

// What is found to be too much only when the batch is looked at goes in smaller ones too, and loses
// no round.
func TestBatchOfTooManyRequests(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=20ms&batch-max=12")
	dir := t.TempDir()
	p := llmpipe(t, dir, byBatch(sim.URL, writePrompts(t, dir, 100))...)
	p.answers(t, 100)
	if c := sim.batches(t); c.Answered != 100 || c.Ended["failed"] == 0 || c.Ended["completed"] > 16 {
		t.Errorf("the simulator counted %+v", c)
	}
	if said := p.err.String(); strings.Count(said, "half as large") != 1 || strings.Contains(said, "round 2") {
		t.Errorf("said\n%s", said)
	}
}

// A model that the provider does not have costs one upload, however many lines name it.
func TestBatchOfAModelThatIsNotThere(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=20ms&models=another")
	dir := t.TempDir()
	p := llmpipe(t, dir, byBatch(sim.URL, writePrompts(t, dir, 200))...)
	if code := p.exit(t); code != 1 || !strings.Contains(p.err.String(), "model_not_found") {
		t.Errorf("exit %d: %s", code, p.err.String())
	}
	if c := sim.batches(t); c.Files != 1 || c.Batches != 1 {
		t.Errorf("the simulator counted %+v", c)
	}
}

// The file of a batch is deleted when its answers are recorded, or kept where that is asked for.
func TestBatchDeletesItsFile(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		sim := startSim(t, "latency=0s&batch-latency=20ms&batch-expire=0.5&batch-expire-first=1")
		g := newGateway(t, sim, nil)
		dir := t.TempDir()
		args, want := byBatch(g.URL, writePrompts(t, dir, 10)), 2
		if keep {
			args, want = append(args, "--keep-files"), 0
		}
		p := llmpipe(t, dir, args...)
		p.answers(t, 10)
		if n := g.count("DELETE /files/ID"); n != want || g.count("POST /files") != 2 {
			t.Errorf("keep %t: %d files of %d were deleted", keep, n, g.count("POST /files"))
		}
	}
}
