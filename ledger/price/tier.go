package price

import "strings"

// Tier is how soon a request is answered, as far as the price depends on it.
type Tier uint8

const (
	Standard Tier = iota
	Flex          // later, and cheaper
	Priority      // sooner, and dearer
	Batched       // in a batch
)

// TierOf reads the name of a tier, as a request or an answer has it under service_tier. A name that
// is none of those with a price of their own is the standard's: default, auto, on_demand.
func TierOf(name string) Tier {
	switch {
	case strings.EqualFold(name, "flex"):
		return Flex
	case strings.EqualFold(name, "priority"):
		return Priority
	case strings.EqualFold(name, "batch"):
		return Batched
	}
	return Standard
}

// What a tier costs, in hundredths of the standard price, where a model has no rates of its own
// for it: OpenAI's flex processing is billed as batches are, and its priority processing at twice
// the price for most models (developers.openai.com/api/docs/pricing).
const (
	flexPercent     = 50
	priorityPercent = 200
)

// At is the price of a request that is answered at a tier. It is the standard one for a batch where
// no price for batches is known.
func (p Price) At(tier Tier) Price {
	switch tier {
	case Flex:
		p.Rates, p.LongRates = p.Flex.or(p.Rates.percent(flexPercent)), p.LongRates.percent(flexPercent).atLeast(p.Flex)
	case Priority:
		p.Rates, p.LongRates = p.Priority.or(p.Rates.percent(priorityPercent)), p.LongRates.percent(priorityPercent).atLeast(p.Priority)
	case Batched:
		if p.HasBatch {
			p.Rates, p.LongRates = p.Batch, p.LongBatch
		}
	}
	return p
}

// or is the rates, or others where there are none.
func (r Rates) or(others Rates) Rates {
	if r == (Rates{}) {
		return others
	}
	return r
}
