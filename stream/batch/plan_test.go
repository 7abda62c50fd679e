package batch

import "testing"

// TestPlanDisk has what a plan takes of the disk: all of it where that is little, and else what may
// wait to be sent, with a shard of each kind that is yet to be full.
func TestPlanDisk(t *testing.T) {
	const most = 200 << 20
	bounds := func(shardKind) int64 { return most }
	one, two := shardKind{model: "one"}, shardKind{model: "two"}
	for _, c := range []struct {
		name string
		plan plan
		want int64
	}{
		{"little", plan{upload: 1000, lines: 10, shards: map[shardKind]*planned{one: {1, shardFile{bytes: 1000}}}}, 1020},
		{"much", plan{upload: 10 << 30, shards: map[shardKind]*planned{one: {52, shardFile{bytes: 1000}}}}, mostWaiting + most},
		{"of two kinds", plan{upload: 10 << 30, shards: map[shardKind]*planned{one: {52, shardFile{}}, two: {1, shardFile{bytes: 7}}}},
			mostWaiting + most + 7},
	} {
		if got := c.plan.disk(bounds); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
