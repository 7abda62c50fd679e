package price

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"
)

// Table is a table of models' prices. It is safe for concurrent use.
type Table struct {
	providers []*provider
	byID      map[string]*provider // by each of its ids
	free      bool

	mu     sync.Mutex // held to change recent
	recent atomic.Pointer[map[question]answer]
}

// provider sets prices: the same open model has another price at another host.
type provider struct {
	id         string
	hosts      []string  // hosts, or with a leading dot the ends of hosts
	regional   []string  // ends of the hosts that serve from one region, see [regionalPercent]
	like       *provider // a model without a price here has the price there
	everywhere bool      // its models' names are its own, so that its prices hold at any host,
	open       []string  // except for names with these prefixes, which anybody may serve
	batch      batchTerms
	search     Dollars
	flatFlex   bool // flex is no cheaper
	renames    bool // customers choose the names of its models

	models map[string]*listing // by key
	match  []modelMatch        // for names that are not in models
}

// listing is one line of a table.
type listing struct {
	provider string
	name     string
	family   string
	price    Price
	regional int64  // hundredths of the price, at a regional host; 0: see priceAt
	snapshot string // the day on which the price was read, 2006-01-02, or the month, 2006-01
	source   string
	note     string
	builtIn  bool
	replaced *listing // the built-in listing that this one replaced
}

// modelMatch is a rule for models' names, with the price of the models that it matches.
type modelMatch struct {
	matches func(model string) bool
	model   *listing
}

// set puts a price into the table and replaces the one that was there.
func (at *provider) set(m *listing, aliases ...string) {
	m.provider = at.id
	key := modelKey(m.name)
	if m.price.Window <= 0 {
		m.price.Window = windowOf(key)
	}
	if m.family == "" {
		m.family = familyOf(key)
		if old := at.models[key]; old != nil {
			m.family = old.family
		}
	}
	m.replace(at.models[key])
	at.models[key] = m
	if tuned, ok := tunedKey(m.name); ok {
		at.models[tuned] = m
	}
	for _, alias := range aliases {
		m.replace(at.models[modelKey(alias)])
		at.models[modelKey(alias)] = m
	}
}

// replace remembers the built-in listing that m replaces.
func (m *listing) replace(old *listing) {
	if old != nil && old.builtIn && !m.builtIn {
		m.replaced = old
	}
}

// Older counts the models whose price comes from a file although the built-in price was read later.
// It also returns the day on which the newest of these built-in prices was read. A price that the
// file does not date counts as read on the day on which the file was written. Equal prices do not
// count.
func (t *Table) Older(written time.Time) (models int, newest string) {
	counted := make(map[*listing]bool)
	for _, at := range t.providers {
		for _, m := range at.models {
			old := m.replaced
			if old == nil || counted[m] || m.price.same(&old.price) {
				continue
			}
			counted[m] = true
			if day := cmp.Or(m.snapshot, written.UTC().Format(dayLayout)); day < old.snapshot {
				models++
				newest = max(newest, old.snapshot)
			}
		}
	}
	return models, newest
}

// same reports whether two prices are equal for short prompts.
func (p *Price) same(other *Price) bool {
	a, b := &p.Bands[0].Rates[Standard], &other.Bands[0].Rates[Standard]
	return a.Input == b.Input && a.Cached == b.Cached && a.Output == b.Output
}
