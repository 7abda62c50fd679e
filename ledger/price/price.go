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
	CacheWrite Dollars // a million tokens of the prompt written to the provider's cache; 0: a usual rate, see [Rates.write]
	CacheHour  Dollars // a million of those that are to be kept for an hour; 0: a usual rate, see [Rates.hour]
	Output     Dollars // a million tokens of the completion, reasoning included
}

// Price is what a model costs. Where a provider publishes no price of its own for cached tokens,
// Cached is Input, which is never too low.
type Price struct {
	Rates // of a request that is answered at once

	// Batch are the rates of a request in a batch. Without HasBatch none are known.
	Batch    Rates
	HasBatch bool

	// Flex and Priority are the rates of these tiers, all zero where they are the usual part of the
	// standard ones, see [Price.At].
	Flex, Priority Rates

	// LongAbove is the number of prompt tokens above which the whole request costs LongRates, or
	// LongBatch in a batch. 0: a long prompt costs no more a token.
	LongAbove int64
	LongRates Rates
	LongBatch Rates
}

// Tokens are what a provider says it charges for.
type Tokens struct {
	Prompt     int64 // all of the prompt, Cached and CacheWrite included
	Cached     int64 // the part of Prompt read from the cache
	CacheWrite int64 // the part of Prompt written to the cache
	CacheHour  int64 // the part of CacheWrite that is to be kept for an hour
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
// all are written to it where that costs more. Writes that the table has no rate for count where
// most has any: providers that publish none write when the request says so.
func (p Price) WorstCost(most Tokens) int64 {
	worst := p.Rates.worst(most)
	if p.LongAbove > 0 && most.Prompt > p.LongAbove {
		worst = max(worst, p.LongRates.worst(most))
	}
	return worst
}

// WorstBatchCost is [Price.WorstCost] for a request in a batch.
func (p Price) WorstBatchCost(most Tokens) (nanos int64, ok bool) {
	if !p.HasBatch {
		return 0, false
	}
	worst := p.Batch.worst(most)
	if p.LongAbove > 0 && most.Prompt > p.LongAbove {
		worst = max(worst, p.LongBatch.worst(most))
	}
	return worst, true
}

func (r *Rates) worst(most Tokens) int64 {
	dearest := Rates{Input: max(r.Input, r.Cached, r.CacheWrite), Output: r.Output}
	if most.CacheWrite > 0 {
		dearest.Input = max(dearest.Input, r.write())
	}
	if most.CacheHour > 0 {
		dearest.Input = max(dearest.Input, r.hour())
	}
	return dearest.cost(Tokens{Prompt: most.Prompt, Completion: most.Completion})
}

// write is the rate of writing to the cache. Without one of its own it is 1.25 times the input's,
// as everywhere where writing costs: at Anthropic (platform.claude.com/docs/en/about-claude/pricing),
// at OpenAI from GPT-5.6 on, and in Alibaba's Model Studio.
func (r *Rates) write() Dollars {
	if r.CacheWrite > 0 {
		return r.CacheWrite
	}
	return (5*r.Input + 3) / 4
}

// hour is the rate of writing what is to be kept for an hour: without one of its own twice the
// input's, which is Anthropic's.
func (r *Rates) hour() Dollars {
	if r.CacheHour > 0 {
		return r.CacheHour
	}
	return max(2*r.Input, r.CacheWrite)
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
	hour := min(max(t.CacheHour, 0), written)
	s.add(written-hour, r.write())
	s.add(hour, r.hour())
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
	return Rates{
		Input: part(r.Input), Cached: part(r.Cached), Output: part(r.Output),
		CacheWrite: part(r.CacheWrite), CacheHour: part(r.CacheHour),
	}
}
