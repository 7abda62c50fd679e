package price

import (
	"math"
	"math/bits"
)

// Rates are prices in billionths of a US dollar for a million tokens, so that every list price,
// down to a billionth of a dollar a million tokens, is a whole number.
type Rates struct {
	Input      Dollars // a million tokens of the prompt that were not cached
	Cached     Dollars // a million tokens of the prompt read from the provider's cache
	CacheWrite Dollars // a million tokens of the prompt written to the provider's cache
	Output     Dollars // a million tokens of the completion, reasoning included
}

// Price is what a model costs. Where a provider publishes no price of its own for cached tokens,
// Cached is Input, which is never too low.
type Price struct {
	Rates // of a request that is answered at once

	// Batch are the rates of a request in a batch. Without HasBatch none are known.
	Batch    Rates
	HasBatch bool

	// LongAbove is the number of prompt tokens above which the whole request costs LongRates, or
	// LongBatch in a batch. 0: a long prompt costs no more a token.
	LongAbove int64
	LongRates Rates
	LongBatch Rates
}

// Tokens are what a provider says it charges for.
type Tokens struct {
	Prompt     int64 // all of the prompt, the next two included
	Cached     int64 // the part of Prompt read from the cache
	CacheWrite int64 // the part of Prompt written to the cache
	Completion int64 // all of the completion, reasoning included
}

// Cost is the cost of a request that was answered at once, in billionths of a US dollar. It is
// added up exactly and rounded up once, to the next whole billionth. It allocates nothing.
func (p Price) Cost(t Tokens) int64 {
	if p.LongAbove > 0 && t.Prompt > p.LongAbove {
		return p.LongRates.cost(t)
	}
	return p.Rates.cost(t)
}

// BatchCost is [Price.Cost] for a request in a batch. It is false where the price has no batch.
func (p Price) BatchCost(t Tokens) (nanos int64, ok bool) {
	switch {
	case !p.HasBatch:
		return 0, false
	case p.LongAbove > 0 && t.Prompt > p.LongAbove:
		return p.LongBatch.cost(t), true
	}
	return p.Batch.cost(t), true
}

// WorstCost is the most that a request answered at once can cost, in billionths of a US dollar,
// with at most that many tokens in its prompt and its completion: none is found in the cache, and
// all are written to it where that costs more.
func (p Price) WorstCost(prompt, completion int64) int64 {
	worst := p.Rates.worst(prompt, completion)
	if p.LongAbove > 0 && prompt > p.LongAbove {
		worst = max(worst, p.LongRates.worst(prompt, completion))
	}
	return worst
}

// WorstBatchCost is [Price.WorstCost] for a request in a batch.
func (p Price) WorstBatchCost(prompt, completion int64) (nanos int64, ok bool) {
	if !p.HasBatch {
		return 0, false
	}
	worst := p.Batch.worst(prompt, completion)
	if p.LongAbove > 0 && prompt > p.LongAbove {
		worst = max(worst, p.LongBatch.worst(prompt, completion))
	}
	return worst, true
}

func (r *Rates) worst(prompt, completion int64) int64 {
	dearest := Rates{Input: max(r.Input, r.Cached, r.CacheWrite), Output: r.Output}
	return dearest.cost(Tokens{Prompt: prompt, Completion: completion})
}

// rateUnit is how many tokens a rate is for.
const rateUnit = 1_000_000

// cost bears what a provider may say by mistake: parts that are more than the whole, or negative.
func (r *Rates) cost(t Tokens) int64 {
	prompt := max(t.Prompt, 0)
	cached := min(max(t.Cached, 0), prompt)
	written := min(max(t.CacheWrite, 0), prompt-cached)
	var s sum128
	s.add(prompt-cached-written, r.Input)
	s.add(cached, r.Cached)
	s.add(written, r.CacheWrite)
	s.add(max(t.Completion, 0), r.Output)
	return s.perUnit()
}

// sum128 adds up tokens times rates, which 64 bits do not always hold: a billion tokens at 600
// dollars a million is 6e20.
type sum128 struct{ high, low uint64 }

// add takes no negative numbers.
func (s *sum128) add(tokens int64, rate Dollars) {
	high, low := bits.Mul64(uint64(tokens), uint64(rate))
	var carry uint64
	s.low, carry = bits.Add64(s.low, low, 0)
	s.high, _ = bits.Add64(s.high, high, carry)
}

// perUnit divides by rateUnit and rounds up. What no int64 holds becomes the largest one.
func (s *sum128) perUnit() int64 {
	if s.high >= rateUnit {
		return math.MaxInt64
	}
	quotient, rest := bits.Div64(s.high, s.low, rateUnit)
	if rest > 0 {
		quotient++ // at most 2^64 * 999,999 / 1,000,000
	}
	if quotient > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(quotient)
}

// percent are the rates at so many hundredths, rounded up to a billionth of a dollar.
func (r *Rates) percent(p int64) Rates {
	part := func(d Dollars) Dollars { return (d*Dollars(p) + 99) / 100 }
	return Rates{Input: part(r.Input), Cached: part(r.Cached), CacheWrite: part(r.CacheWrite), Output: part(r.Output)}
}
