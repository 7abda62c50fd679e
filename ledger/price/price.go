package price

import "math"

// Price is what a model costs. Copies of a price share its bands, which never change once the table
// is complete.
type Price struct {
	// Bands are the rates by the length of the prompt, the shortest first. The whole request has the
	// rates of the last band whose Above is less than the prompt's tokens.
	Bands []Band
	Fees  Fees

	// HasBatch is true if the rates for batches are known.
	HasBatch bool

	// Window is the most tokens that the model takes in one request, or 0 if that is not known.
	Window int64

	tier Tier
}

// Band has the rates of requests with more than Above prompt tokens.
type Band struct {
	Above int64 // tokens of the prompt; 0 for the first band
	Rates [tiers]Rates
}

// one returns the price with these standard rates for prompts of any length.
func one(r Rates) Price { return Price{Bands: []Band{{Rates: [tiers]Rates{Standard: r}}}} }

// At returns the price of a request at a tier. For a batch it is the standard price if no batch
// price is known.
func (p Price) At(tier Tier) Price {
	p.tier = tier
	if tier == Batched && !p.HasBatch {
		p.tier = Standard
	}
	return p
}

// Flat returns the price without the bands for longer prompts, for the sum of many requests.
func (p Price) Flat() Price {
	p.Bands = p.Bands[:min(len(p.Bands), 1)]
	return p
}

// rates returns the rates for a prompt of so many tokens.
func (p *Price) rates(prompt int64) *Rates {
	for i := len(p.Bands) - 1; i >= 0; i-- {
		if b := &p.Bands[i]; prompt > b.Above || i == 0 {
			return &b.Rates[p.tier]
		}
	}
	return &Rates{}
}

// Cost returns the cost of a request, in billionths of a US dollar. The sum is exact, and is
// rounded up once, to the next whole billionth. It allocates nothing.
func (p Price) Cost(t Tokens) int64 {
	cost, rest := p.Exact(t)
	if rest > 0 {
		return add(cost, 1)
	}
	return cost
}

// Exact returns the cost of a request in whole billionths of a US dollar, and the rest in
// millionths of a billionth. With both, many costs can be added up without loss.
func (p Price) Exact(t Tokens) (nanos, rest int64) {
	sum := p.rates(t.Prompt).cost(&t)
	nanos, rest = sum.divide()
	return add(nanos, p.Fees.cost(&t)), rest
}

// BatchCost is [Price.Cost] for a request in a batch. It returns false if no batch price is known.
func (p Price) BatchCost(t Tokens) (nanos int64, ok bool) {
	if !p.HasBatch {
		return 0, false
	}
	return p.At(Batched).Cost(t), true
}

// Whole reports whether the price has a rate for everything that a request is billed for. If one is
// missing for sound, for images in the completion or for searches, the bill can be more than
// [Price.Cost].
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

// FreeOfCharge reports whether every request costs nothing.
func (p Price) FreeOfCharge() bool { return p.says0() }

// free reports whether all rates are 0.
func (r *Rates) free() bool { return *r == Rates{} }

// WorstCost returns the most that a request can cost, in billionths of a US dollar, with at most so
// many tokens in its prompt and its completion. No token is taken to be read from the cache, and
// all are taken to be written to it if that costs more. If the table has no rate for such writes,
// they count only if most has some: providers without a published rate write only if the request
// says so. Sound and searches, too, count only if most has some.
func (p Price) WorstCost(most Tokens) int64 {
	var worst int64
	for i := range p.Bands {
		if b := &p.Bands[i]; i == 0 || most.Prompt > b.Above {
			worst = max(worst, b.Rates[p.tier].worst(&most))
		}
	}
	return add(worst, p.Fees.worst(&most))
}

// WorstBatchCost is [Price.WorstCost] for a request in a batch. It returns false if no batch price
// is known.
func (p Price) WorstBatchCost(most Tokens) (nanos int64, ok bool) {
	if !p.HasBatch {
		return 0, false
	}
	return p.At(Batched).WorstCost(most), true
}

// add adds two amounts that are not negative. If the sum overflows, it returns the largest int64.
func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
