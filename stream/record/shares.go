package record

import "math/bits"

// Shares divides amounts among parts in proportion to their weights, to the last unit: what the parts get is the amount, and no part is
// a whole unit away from its exact proportion. It holds the sums of the weights up to and with each part.
type Shares []int64

// Add adds a part. Its weight is more than zero; all weights together stay below 2^63.
func (s Shares) Add(weight int) Shares { return append(s, s.upTo(len(s))+int64(weight)) }

// Of is what of an amount, zero or more, goes to the parts from first to the one before end.
func (s Shares) Of(amount int64, first, end int) int64 {
	return s.sumOf(amount, end) - s.sumOf(amount, first)
}

// sumOf is what goes to the first n parts, rounded down. Rounding these sums, not the parts, is what keeps the parts' sum exact.
func (s Shares) sumOf(amount int64, n int) int64 {
	if n == 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(amount), uint64(s.upTo(n)))
	sum, _ := bits.Div64(high, low, uint64(s.upTo(len(s))))
	return int64(sum)
}

func (s Shares) upTo(n int) int64 {
	if n == 0 {
		return 0
	}
	return s[n-1]
}
