package price

import "strings"

// Tier is how soon a request is answered, as far as the price depends on it.
type Tier uint8

const (
	Standard Tier = iota
	Flex          // later, and cheaper
	Priority      // sooner, and dearer
	Batched       // in a batch
	tiers
)

// TierOf reads the name of a tier, as a request or an answer has it under service_tier. A name that
// is none of those with a price of their own is the standard's: default, auto, on_demand.
func TierOf(name string) Tier {
	switch {
	case strings.EqualFold(name, "flex"):
		return Flex
	case strings.EqualFold(name, "priority"), strings.EqualFold(name, "fast"):
		return Priority // OpenAI's priority processing is its fast mode since July 2026 (openai.com/api-fast-mode)
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

// batchTerms are a provider's terms for batches, for models without a batch price of their own.
type batchTerms struct {
	percent int64 // of the price; 0: not known
	cached  bool  // cached tokens get the reduction too, and are not billed as others
}

func (b batchTerms) rates(standard *Rates) Rates {
	r := standard.percent(b.percent)
	if !b.cached {
		r.Cached = r.Input
	}
	return r
}

// complete fills in what a price's tiers cost where a table has no rates of their own for them. A
// longer prompt's are the usual part of its standard rates, and no less than a shorter one's; of a
// batch that has a price the standard ones, since that there is a reduction is not said.
func (p *Price) complete(terms batchTerms, flatFlex bool) {
	own := p.HasBatch
	p.HasBatch = own || terms.percent > 0
	for i := range p.Bands {
		r := &p.Bands[i].Rates
		standard := r[Standard]
		for tier, percent := range map[Tier]int64{Flex: flexPercent, Priority: priorityPercent} {
			if r[tier] != (Rates{}) {
				continue
			}
			if r[tier] = standard.percent(percent); tier == Flex && flatFlex {
				r[tier] = standard
			}
			if i > 0 {
				r[tier] = r[tier].atLeast(p.Bands[0].Rates[tier])
			}
		}
		switch {
		case r[Batched] != (Rates{}):
		case own:
			r[Batched] = standard
		case p.HasBatch:
			r[Batched] = terms.rates(&standard)
		}
	}
}
