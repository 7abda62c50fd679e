package price

import "strings"

// Tier is how soon a request is answered, which affects its price.
type Tier uint8

const (
	Standard Tier = iota
	Flex          // later, and cheaper
	Priority      // sooner, and dearer
	Batched       // in a batch
	tiers
)

// TierOf reads the name of a tier from a request's or an answer's service_tier. Names without a
// price of their own count as standard: default, auto, on_demand.
func TierOf(name string) Tier {
	switch {
	case strings.EqualFold(name, "flex"):
		return Flex
	case strings.EqualFold(name, "priority"), strings.EqualFold(name, "fast"):
		return Priority // OpenAI calls it fast mode since July 2026 (openai.com/api-fast-mode)
	case strings.EqualFold(name, "batch"):
		return Batched
	}
	return Standard
}

// What a tier costs, in hundredths of the standard price, if a model has no rates of its own for
// it. OpenAI bills flex processing like batches, and priority processing at twice the price for
// most models (developers.openai.com/api/docs/pricing).
const (
	flexPercent     = 50
	priorityPercent = 200
)

// batchTerms are a provider's terms for batches of models without a batch price of their own.
type batchTerms struct {
	percent int64 // of the price; 0: not known
	cached  bool  // cached tokens get the reduction, too; otherwise they cost what others do
}

func (b batchTerms) rates(standard *Rates) Rates {
	r := standard.percent(b.percent)
	if !b.cached {
		r.Cached = r.Input
	}
	return r
}

// complete fills in the rates of each tier that a table lacks. Flex and priority get the usual part
// of the standard rates, and a longer prompt pays at least what a shorter one does. A batch gets
// the provider's terms. But if the table has a batch price for short prompts only, longer prompts
// get the standard rates in a batch, because no source promises a reduction for them.
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
