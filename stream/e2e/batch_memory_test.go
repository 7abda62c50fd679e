package e2e

import (
	"fmt"
	"testing"
	"time"
)

// 120,000 records are three files at the provider, and neither they nor their answers are ever in
// memory at once.
func TestBatchOfManyRecords(t *testing.T) {
	if race {
		t.Skip("shadow memory says nothing, and the smaller tests look for races")
	}
	t.Parallel()
	const records = 120_000
	sim := startSim(t, "latency=0s&batch-latency=100ms&output=5")
	dir := t.TempDir()
	name := writeFile(t, dir, "in.jsonl", repeat(0, records-1, func(i int) string {
		return fmt.Sprintf(`{"id":"r%d","prompt":"what do you say to number %[1]d, of which there is no more to be known?"}`, i)
	}))
	p := llmpipe(t, dir, byBatch(sim.URL, "-f", "text", "--summary", "summary.json", name)...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan int, 1)
	go func() { ended <- p.wait(t) }()
	for {
		select {
		case code := <-ended:
			if code != 0 {
				t.Fatalf("exit %d: %s", code, p.err.String())
			}
			if s := readSummary(t, dir); s.OK != records {
				t.Errorf("summary %+v", s)
			}
			if c := sim.batches(t); c.Batches != 3 || c.Answered != records {
				t.Errorf("the simulator counted %+v", c)
			}
			return
		case <-time.After(20 * time.Millisecond):
			if peak := peakMemory(p.Process.Pid); peak > mostMemory {
				t.Fatalf("%d MiB of memory, want at most %d", peak>>20, mostMemory>>20)
			}
		}
	}
}
