package price

import (
	"math"
	"math/bits"
	"slices"
)

// Steps are the lengths of prompts beyond which some model of the table has other rates, in tokens,
// the shortest first. The cost of requests whose prompts lie between the same two can be added up.
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

// SumCost is [Price.Cost] of n requests with that many tokens together, where each has a prompt of
// the band that one of prompt tokens is in.
func (p Price) SumCost(n, prompt int64, together Tokens) int64 {
	high, fees := bits.Mul64(uint64(max(n, 0)), uint64(p.Fees.cost(&Tokens{})))
	if high > 0 || fees > math.MaxInt64 {
		return math.MaxInt64
	}
	sum := p.rates(prompt).cost(&together)
	return add(sum.perUnit(), int64(fees))
}
