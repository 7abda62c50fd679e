package batch

import (
	"testing"

	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/batchapi"
	"llmpipe/stream/record"
)

// A shard takes what the provider's bounds of a file and the ledger's of a line leave room for.
func TestFullShard(t *testing.T) {
	f := newAssembler(&Batches{}, 1, nil)
	f.line.size = 1000
	one := flow.NewTask()
	one.ID = make([]byte, 1000)
	client, err := provider.New(provider.Config{BaseURL: "sim:"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	driver := batchapi.Meet(t.Context(), client).Driver(record.Chat)
	most := driver.Bounds()
	for _, c := range []struct {
		name  string
		shard *shard
		full  bool
	}{
		{"empty", &shard{}, false},
		{"room for one more", &shard{file: shardFile{requests: most.Requests - 1, bytes: most.Bytes - 1000, ids: maxShardIDs - 1000}},
			false},
		{"too many requests", &shard{file: shardFile{requests: most.Requests}}, true},
		{"too many bytes", &shard{file: shardFile{requests: 1, bytes: most.Bytes - 999}}, true},
		{"ids that are too long", &shard{file: shardFile{requests: 1, ids: maxShardIDs - 999}}, true},
	} {
		if got := f.noRoom(&c.shard.file, driver, one); got != c.full {
			t.Errorf("%s: full is %t", c.name, got)
		}
	}
}
