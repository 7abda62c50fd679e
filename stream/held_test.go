package stream

import (
	"path/filepath"
	"testing"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
)

// Recorded answers are bytes held too: a reader that is slow must not fill the memory with them.
func TestGateCountsRecordedAnswers(t *testing.T) {
	recalledOnes := 0
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	for range 2 {
		try(t, "sim:?latency=0", prompts(20), func(c *Config) {
			c.Ledger = journal.Config{Path: path, Fsync: ledger.FsyncNever}
			c.Observe = func(_ *flow.Flow, done *flow.Task) {
				if done.Outcome != flow.Recalled {
					return
				}
				recalledOnes++
				if line, result := done.Held(); line != int64(len(done.Buffer)) || result != int64(len(done.Recorded.Response)) {
					t.Errorf("%s counts as %d and %d bytes, want %d and %d", done, line, result, len(done.Buffer), len(done.Recorded.Response))
				}
			}
		})
	}
	if recalledOnes != 20 {
		t.Errorf("%d were recalled", recalledOnes)
	}
}
