package spend

import (
	"math/bits"
	"sync/atomic"
)

// outputs counts completions by their length, in classes each twice as wide as the one before.
type outputs struct {
	classes [40]atomic.Int64
	n       atomic.Int64
}

// A request without max_tokens is assumed to have an output of likelyOutput tokens until fewOutputs
// answers have come. OpenAI's smaller models rarely write more at once for the tasks that people
// run in bulk.
const (
	likelyOutput = 4096
	fewOutputs   = 50
)

func (o *outputs) add(tokens int64) {
	o.classes[min(bits.Len64(uint64(max(tokens, 0))), len(o.classes)-1)].Add(1)
	o.n.Add(1)
}

// likely returns a number of tokens that 99 of 100 completions do not exceed.
func (o *outputs) likely() int64 {
	n := o.n.Load()
	if n < fewOutputs {
		return likelyOutput
	}
	above := n / 100
	for i := len(o.classes) - 1; i > 0; i-- {
		if above -= o.classes[i].Load(); above < 0 {
			return 1<<i - 1
		}
	}
	return 1
}
