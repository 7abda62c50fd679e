package e2e

import (
	"fmt"
	"testing"
	"time"
)

// 120,000 records are three files at the provider, and neither they nor their answers are ever in
// memory at once.
func TestBatchOfManyRecords(t *testing.T) { manyRecords(t, byBatch) }

// As Message Batches too.
func TestMessageBatchOfManyRecords(t *testing.T) {
	needsLong(t, "some ten seconds")
	manyRecords(t, byMessageBatch)
}

// manyRecords asks about 120,000 records. by makes the command's arguments.
func manyRecords(t *testing.T, by func(url string, more ...string) []string) {
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
	p := llmpipe(t, dir, by(sim.URL, "-f", "text", "--summary", "summary.json", name)...)
	p.starts(t)
	most := 0
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
			t.Logf("at most %d MiB of memory", most>>20)
			return
		case <-time.After(20 * time.Millisecond):
			if most = max(most, peakMemory(p.Process.Pid)); most > mostMemory {
				t.Fatalf("%d MiB of memory, want at most %d", most>>20, mostMemory>>20)
			}
		}
	}
}
