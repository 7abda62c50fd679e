package batch

import (
	"testing"

	"llmpipe/stream/flow"
)

// A shard takes what the provider's bounds of a file and the ledger's of a line leave room for.
func TestFullShard(t *testing.T) {
	f := newAssembler(&Batches{}, 1, nil)
	f.line = make([]byte, 1000)
	record := flow.NewTask()
	record.ID = make([]byte, 1000)
	for _, c := range []struct {
		name  string
		shard *shard
		full  bool
	}{
		{"empty", &shard{}, false},
		{"room for one more", &shard{file: shardFile{requests: maxShardRequests - 1, bytes: maxShardBytes - 1000, ids: maxShardIDs - 1000}},
			false},
		{"too many requests", &shard{file: shardFile{requests: maxShardRequests}}, true},
		{"too many bytes", &shard{file: shardFile{requests: 1, bytes: maxShardBytes - 999}}, true},
		{"ids that are too long", &shard{file: shardFile{requests: 1, ids: maxShardIDs - 999}}, true},
	} {
		if got := f.full(c.shard, record); got != c.full {
			t.Errorf("%s: full is %t", c.name, got)
		}
	}
}
