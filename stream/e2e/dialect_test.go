package e2e

import (
	"maps"
	"testing"
)

// dialects are those of files and batches that the simulator speaks.
var dialects = []string{"openai", "azure", "groq", "together", "mistral", "gemini", "novita"}

// In every dialect of the Batch API the same records get the same answers as one by one, in one
// batch, at half the price.
func TestBatchInEveryDialect(t *testing.T) {
	t.Parallel()
	const records = 1000
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, "latency=0s&batch-latency=300ms&dialect="+dialect)
			dir := t.TempDir()
			name := writePrompts(t, dir, records)
			single := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-l", "realtime.jsonl", name)
			single.exits(t, 0)
			p := llmpipe(t, dir, byBatch(sim.URL, name)...)
			p.exits(t, 0)
			if want, got := contents(t, single), contents(t, p); len(got) != records || !maps.Equal(want, got) {
				t.Errorf("%d answers, and they differ from %d that came one by one", len(got), len(want))
			}
			if want, got := costOf(t, single)/2, costOf(t, p); !same(want, got) {
				t.Errorf("it costs %g, want %g", got, want)
			}
			if c := sim.batches(t); c.Batches != 1 || c.Files != 1 || c.Answered != records {
				t.Errorf("the simulator counted %+v", c)
			}
		})
	}
}
