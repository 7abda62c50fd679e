package stream

import (
	"errors"
	"path/filepath"
	"testing"

	"llmpipe/ledger"
)

// An answer that the ledger did not take is still to be had from the provider: its batch stays pending.
func TestBatchWhoseAnswersAreNotRecordedStaysPending(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	broken := errors.New("the disk is broken")
	r := try(t, "sim:?latency=0s&batch-latency=10ms", prompts(20), func(c *Config) {
		c.Batch.Mode, c.Ledger.Path, c.Decode.Model = ModeBatch, path, "gpt-4o-mini"
		c.Observe = func(f *Flow, _ *Task) {
			f.unrecorded.Store(true)
			f.stop.fail(broken)
		}
	})
	all, err := ledger.ScanShards(path)
	if err != nil || len(all) != 1 || !all[0].Pending() || all[0].BatchID == "" {
		t.Errorf("%v, shards %+v", err, all)
	}
	if !errors.Is(r.Err, broken) {
		t.Errorf("ended with %v: %s", r.Err, r.said.String())
	}
}

// A shard takes what the provider's bounds of a file and the ledger's of a line leave room for.
func TestFullShard(t *testing.T) {
	f := newFiller(&batcher{}, 1, nil)
	f.line = make([]byte, 1000)
	record := newTask()
	record.ID = make([]byte, 1000)
	for _, c := range []struct {
		name  string
		shard *shard
		full  bool
	}{
		{"empty", &shard{}, false},
		{"room for one more", &shard{requests: maxShardRequests - 1, bytes: maxShardBytes - 1000, ids: maxShardIDs - 1000}, false},
		{"too many requests", &shard{requests: maxShardRequests}, true},
		{"too many bytes", &shard{requests: 1, bytes: maxShardBytes - 999}, true},
		{"ids that are too long", &shard{requests: 1, ids: maxShardIDs - 999}, true},
	} {
		if got := f.full(c.shard, record); got != c.full {
			t.Errorf("%s: full is %t", c.name, got)
		}
	}
}
