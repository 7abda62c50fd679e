package price

import (
	"math"
	"math/bits"
	"slices"
)

// Steps returns the prompt lengths, in tokens, above which some model in the table has other rates,
// in ascending order. The tokens of requests with prompts between the same two steps can be added
// up.
func (t *Table) Steps() []int64 {
	steps := map[int64]bool{}
	for _, at := range t.providers {
		for _, m := range at.models {
			for i := range m.price.Bands {
				if above := m.price.Bands[i].Above; above > 0 {
					steps[above] = true
				}
			}
		}
	}
	sorted := make([]int64, 0, len(steps))
	for above := range steps {
		sorted = append(sorted, above)
	}
	slices.Sort(sorted)
	return sorted
}

// SumCost is [Price.Cost] of n requests with that many tokens in total. Each prompt must be in the
// same band as a prompt of so many tokens. The searches in together do not count.
func (p Price) SumCost(n, prompt int64, together Tokens) int64 {
	high, fees := bits.Mul64(uint64(max(n, 0)), uint64(p.Fees.cost(&Tokens{})))
	if high > 0 || fees > math.MaxInt64 {
		return math.MaxInt64
	}
	sum := p.rates(prompt).cost(&together)
	return add(sum.perUnit(), int64(fees))
}
