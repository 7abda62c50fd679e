package price

import "math"

// Price is what a model costs. Its bands are shared by all that have the price, and never change.
type Price struct {
	// Bands are the rates by the length of the prompt, the shortest first: the whole request costs
	// those of the last band that its prompt is above.
	Bands []Band
	Fees  Fees

	// HasBatch says that the rates of a batch are known.
	HasBatch bool

	// Window is the most tokens that the model takes in one request; 0 where that is not known.
	Window int64

	tier Tier
}

// Band is what requests cost whose prompts are longer than a number of tokens.
type Band struct {
	Above int64 // tokens of the prompt; 0 for the first band
	Rates [tiers]Rates
}

// one is the price of rates that hold for prompts of any length.
func one(r Rates) Price { return Price{Bands: []Band{{Rates: [tiers]Rates{Standard: r}}}} }

// At is the price of a request that is answered at a tier. It is the standard one for a batch where
// no price for batches is known.
func (p Price) At(tier Tier) Price {
	p.tier = tier
	if tier == Batched && !p.HasBatch {
		p.tier = Standard
	}
	return p
}

// Flat is the price without what longer prompts cost more: for the sum of many.
func (p Price) Flat() Price {
	p.Bands = p.Bands[:min(len(p.Bands), 1)]
	return p
}

// rates are those for a prompt of so many tokens.
func (p *Price) rates(prompt int64) *Rates {
	for i := len(p.Bands) - 1; i >= 0; i-- {
		if b := &p.Bands[i]; prompt > b.Above || i == 0 {
			return &b.Rates[p.tier]
		}
	}
	return &Rates{}
}

// Cost is the cost of a request, in billionths of a US dollar. It is added up exactly and rounded
// up once, to the next whole billionth. It allocates nothing.
func (p Price) Cost(t Tokens) int64 {
	cost, rest := p.Exact(t)
	if rest > 0 {
		return add(cost, 1)
	}
	return cost
}

// Exact is the cost of a request in whole billionths of a US dollar, and what there is beyond them
// in millionths of a billionth: it takes both to add up many costs without a loss.
func (p Price) Exact(t Tokens) (nanos, rest int64) {
	sum := p.rates(t.Prompt).cost(&t)
	nanos, rest = sum.divide()
	return add(nanos, p.Fees.cost(&t)), rest
}

// BatchCost is [Price.Cost] for a request in a batch. It is false where the price has no batch.
func (p Price) BatchCost(t Tokens) (nanos int64, ok bool) {
	if !p.HasBatch {
		return 0, false
	}
	return p.At(Batched).Cost(t), true
}

// Whole reports whether the price has a rate for all that a request is billed for. Without one for
// sound, images or searches [Price.Cost] is less than the bill.
func (p Price) Whole(t Tokens) bool {
	r := p.rates(t.Prompt)
	return (t.AudioIn <= 0 || r.AudioIn > 0 || r.Input == 0) && (t.AudioOut <= 0 || r.AudioOut > 0 || r.Output == 0) &&
		(t.ImageOut <= 0 || r.ImageOut > 0 || r.Output == 0) &&
		(t.Searches <= 0 && !p.Fees.Searches || p.Fees.Search != [3]Dollars{} || p.Fees.Request > 0 || r.free())
}

// Sounds reports whether sound has a rate of its own.
func (p Price) Sounds() bool {
	r := p.rates(0)
	return r.AudioIn > 0 || r.AudioOut > 0
}

// FreeOfCharge reports whether nothing costs anything.
func (p Price) FreeOfCharge() bool { return p.says0() }

// free reports whether nothing costs anything.
func (r *Rates) free() bool { return *r == Rates{} }

// WorstCost is the most that a request can cost, in billionths of a US dollar, with at most that
// many tokens in its prompt and its completion: none is found in the cache, and all are written to
// it where that costs more. Writes that the table has no rate for count where most has any:
// providers that publish none write when the request says so. So do sound and searches.
func (p Price) WorstCost(most Tokens) int64 {
	var worst int64
	for i := range p.Bands {
		if b := &p.Bands[i]; i == 0 || most.Prompt > b.Above {
			worst = max(worst, b.Rates[p.tier].worst(&most))
		}
	}
	return add(worst, p.Fees.worst(&most))
}

// WorstBatchCost is [Price.WorstCost] for a request in a batch.
func (p Price) WorstBatchCost(most Tokens) (nanos int64, ok bool) {
	if !p.HasBatch {
		return 0, false
	}
	return p.At(Batched).WorstCost(most), true
}

// add adds two amounts that are not negative. What no int64 holds becomes the largest one.
func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
