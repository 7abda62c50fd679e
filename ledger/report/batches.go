package report

import (
	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// Batches is what went by batch.
type Batches struct {
	Made     int64         `json:"made"`
	Pending  int64         `json:"pending"`       // of them, not collected yet
	SetAside price.Dollars `json:"set_aside_usd"` // for those, at most
	Cost     price.Dollars `json:"cost_usd"`      // of the answers, as far as it is known
}

// batchTally adds up batches.
type batchTally struct {
	Batches
	givenUp map[string]price.Dollars // what those may have cost that were given up, by shard: the last step counts
}

// step takes a step in, and returns by how much more may have been spent on batches that were given
// up.
func (t *batchTally) step(e *ledger.ShardEntry) price.Dollars {
	if e.Step == ledger.ShardIntent {
		t.Made++
	}
	may := price.Dollars(e.MayCostNanos)
	before := t.givenUp[e.Shard]
	if may == before {
		return 0
	}
	if t.givenUp == nil {
		t.givenUp = make(map[string]price.Dollars)
	}
	t.givenUp[e.Shard] = may
	return may - before
}

// finish is nil where nothing went by batch.
func (t *batchTally) finish() *Batches {
	if t.Made == 0 && t.Cost == 0 {
		return nil
	}
	return &t.Batches
}
