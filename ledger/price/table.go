package price

import (
	"sync"
	"sync/atomic"
)

// Table is a table of what models cost. It is safe for concurrent use.
type Table struct {
	providers []*provider
	byID      map[string]*provider // by each of its ids

	mu     sync.Mutex // held to change recent
	recent atomic.Pointer[map[question]answer]
}

// provider is who sets a price: the same open model costs something else on another host.
type provider struct {
	id         string
	hosts      []string  // a host, or with a dot before it the end of one
	like       *provider // has the prices of this one where it has none of its own
	everywhere bool      // the names of its models are nobody else's, whatever host answers,
	open       []string  // but for those that begin like this, which anybody may serve
	batch      batchTerms
	flatFlex   bool // flex is no cheaper

	models map[string]*listing // by key
	match  []modelMatch        // for the names that are not in models
}

// batchTerms are a provider's terms for batches, for models without a batch price of their own.
type batchTerms struct {
	percent int64 // of the price; 0: not known
	cached  bool  // cached tokens get the reduction too, and are not billed as others
}

// listing is one line of a table.
type listing struct {
	provider string
	name     string
	family   string
	price    Price
	snapshot string // when the price was read: 2006-01-02, or the month alone
	source   string
	note     string
}

// modelMatch finds a price for names that a rule describes.
type modelMatch struct {
	matches func(model string) bool
	model   *listing
}

// set puts a price into the table in the place of the one that was there.
func (at *provider) set(m *listing, aliases ...string) {
	m.provider = at.id
	if at.flatFlex {
		m.price.Flex = m.price.Flex.or(m.price.Rates)
	}
	key := modelKey(m.name)
	if m.family == "" {
		m.family = familyOf(key)
		if old := at.models[key]; old != nil {
			m.family = old.family
		}
	}
	at.models[key] = m
	if tuned, ok := tunedKey(m.name); ok {
		at.models[tuned] = m
	}
	for _, alias := range aliases {
		at.models[modelKey(alias)] = m
	}
}

// setBatch fills in a price's batch rates from the terms, where it has none of its own.
func (b batchTerms) setBatch(p *Price) {
	if p.HasBatch || b.percent == 0 {
		return
	}
	p.HasBatch = true
	p.Batch, p.LongBatch = b.rates(p.Rates), b.rates(p.LongRates)
}

func (b batchTerms) rates(standard Rates) Rates {
	r := standard.percent(b.percent)
	if !b.cached {
		r.Cached = r.Input
	}
	return r
}
