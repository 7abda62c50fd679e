package report

import (
	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// Batches is what was asked in batches.
type Batches struct {
	Made     int64         `json:"made"`
	Pending  int64         `json:"pending"`       // how many are not collected yet
	SetAside price.Dollars `json:"set_aside_usd"` // the most that these may cost
	Cost     price.Dollars `json:"cost_usd"`      // of the answers, as far as it is known
}

// batchTally adds up batches.
type batchTally struct {
	Batches
	givenUp map[string]price.Dollars // what given-up batches may have cost, by shard: the last step counts
}

// step takes a step in. It returns how much more may have been spent on batches that were given up.
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

// finish returns nil if nothing was asked in batches.
func (t *batchTally) finish() *Batches {
	if t.Made == 0 && t.Cost == 0 {
		return nil
	}
	return &t.Batches
}
