package ledger

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Prices is a table of what models cost. It is safe for concurrent use.
type Prices struct {
	providers []*priceProvider
	byID      map[string]*priceProvider // by each of its ids

	mu     sync.Mutex // held to change recent
	recent atomic.Pointer[map[priceQuery]priceAnswer]
}

// priceProvider is who sets a price: the same open model costs something else on another host.
type priceProvider struct {
	id         string
	hosts      []string       // a host, or with a dot before it the end of one
	like       *priceProvider // has the prices of this one where it has none of its own
	everywhere bool           // the names of its models are nobody else's, whatever host answers,
	open       []string       // but for those that begin like this, which anybody may serve
	batch      batchTerms

	models map[string]*modelPrice // by key
	match  []modelMatch           // for the names that are not in models
}

// batchTerms are a provider's terms for batches, for models without a batch price of their own.
type batchTerms struct {
	percent int64 // of the price; 0: not known
	cached  bool  // cached tokens get the reduction too, and are not billed as others
}

// modelPrice is one line of a table.
type modelPrice struct {
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
	model   *modelPrice
}

type priceQuery struct{ provider, model string }

type priceAnswer struct {
	price Price
	name  string
	ok    bool
}

// These bound the memory for answers: whoever writes the records chooses the names of models.
const (
	maxRecent      = 256
	maxRecentBytes = 256 // of a query
)

// Lookup finds the price of a model, and the name that the table has it under. The provider is the
// host of a base URL or a provider's id.
//
// The name is looked for as it is, and then without the date of its snapshot or -latest. A host
// that is not in the table may have a price for models whose name says whose they are: gpt-4o-mini,
// or openai/gpt-4o-mini, behind a gateway. There is none for open models there, as each host sets
// its own. A name is never taken for a shorter one's: gpt-4o-mini-audio has the price of its own
// entry or none.
//
// An answer that was given before costs no allocation.
func (p *Prices) Lookup(provider, model string) (price Price, name string, ok bool) {
	query := priceQuery{provider, model}
	recent := p.recent.Load()
	if recent != nil {
		if a, found := (*recent)[query]; found {
			return a.price, a.name, a.ok
		}
	}
	var a priceAnswer
	if m := p.find(provider, model); m != nil {
		a = priceAnswer{m.price, m.name, true}
	}
	p.remember(query, a)
	return a.price, a.name, a.ok
}

// remember keeps an answer in a copy of the map, so that no reader ever waits.
func (p *Prices) remember(query priceQuery, a priceAnswer) {
	if len(query.provider)+len(query.model) > maxRecentBytes {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	next := make(map[priceQuery]priceAnswer)
	if recent := p.recent.Load(); recent != nil {
		if len(*recent) >= maxRecent {
			return
		}
		maps.Copy(next, *recent)
	}
	// The model may be a part of a record that would be kept with it.
	next[priceQuery{strings.Clone(query.provider), strings.Clone(query.model)}] = a
	p.recent.Store(&next)
}

func (p *Prices) find(provider, model string) *modelPrice {
	model = strings.TrimPrefix(model, "models/") // as Google's own list writes them
	if key, ok := tunedKey(model); ok {
		return p.findTuned(provider, key)
	}
	here := p.provider(provider)
	if here != nil {
		for at := here; at != nil; at = at.like {
			if m := at.find(model); m != nil {
				return m
			}
		}
	}
	for _, at := range p.providers {
		if at.owns(model) && at != here {
			if m := at.find(model); m != nil {
				return m
			}
		}
	}
	return p.findVendor(model)
}

// findVendor finds what gateways call openai/gpt-4o-mini.
func (p *Prices) findVendor(model string) *modelPrice {
	end := strings.LastIndexByte(model, '/')
	if end < 0 {
		return nil
	}
	vendor := model[strings.LastIndexByte(model[:end], '/')+1 : end]
	model = model[end+1:]
	if at := p.byID[strings.ToLower(vendor)]; at != nil && at.owns(model) {
		return at.find(model)
	}
	return nil
}

// owns says that a model of this name is the provider's, if it has one, whatever host answers.
func (at *priceProvider) owns(model string) bool {
	return at.everywhere && !slices.ContainsFunc(at.open, func(prefix string) bool { return strings.HasPrefix(model, prefix) })
}

func (p *Prices) findTuned(provider, key string) *modelPrice {
	for at := p.provider(provider); at != nil; at = at.like {
		if m := at.models[key]; m != nil {
			return m
		}
	}
	for _, at := range p.providers {
		if m := at.models[key]; m != nil && at.everywhere {
			return m
		}
	}
	return nil
}

func (at *priceProvider) find(model string) *modelPrice {
	key := modelKey(model)
	if m := at.models[key]; m != nil {
		return m
	}
	for i := range at.match {
		if at.match[i].matches(model) {
			return at.match[i].model
		}
	}
	if base, ok := undated(key); ok {
		return at.models[base]
	}
	return nil
}

// provider finds who answers at a host, with a port or without, or has an id.
func (p *Prices) provider(name string) *priceProvider {
	name = strings.ToLower(name)
	if at := p.byID[name]; at != nil {
		return at
	}
	host, _, _ := strings.Cut(name, ":")
	for _, at := range p.providers {
		for _, h := range at.hosts {
			if h == host || h[0] == '.' && (strings.HasSuffix(host, h) || host == h[1:]) {
				return at
			}
		}
	}
	return nil
}

// set puts a price into the table in the place of the one that was there.
func (at *priceProvider) set(m *modelPrice, aliases ...string) {
	m.provider = at.id
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
		r.Cached, r.CacheWrite = r.Input, max(r.Input, r.CacheWrite)
	}
	return r
}
