package stream

import (
	"errors"
	"path/filepath"
	"testing"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
)

// An answer that the ledger did not take is still to be had from the provider: its batch stays
// pending.
func TestBatchWhoseAnswersAreNotRecordedStaysPending(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	broken := errors.New("the disk is broken")
	r := try(t, "sim:?latency=0s&batch-latency=10ms", prompts(20), func(c *Config) {
		c.Batch.Mode, c.Ledger.Path, c.Decode.Model = flow.ModeBatch, path, "gpt-4o-mini"
		c.Observe = func(f *flow.Flow, _ *flow.Task) {
			f.Unrecorded.Store(true)
			f.Stop.Fail(broken)
		}
	})
	all, err := ledger.ScanShards(path, nil)
	if err != nil || len(all) != 1 || !all[0].Pending() || all[0].BatchID == "" {
		t.Errorf("%v, shards %+v", err, all)
	}
	if !errors.Is(r.Err, broken) {
		t.Errorf("ended with %v: %s", r.Err, r.said.String())
	}
}
