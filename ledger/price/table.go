package price

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"
)

// Table is a table of what models cost. It is safe for concurrent use.
type Table struct {
	providers []*provider
	byID      map[string]*provider // by each of its ids
	free      bool

	mu     sync.Mutex // held to change recent
	recent atomic.Pointer[map[question]answer]
}

// provider is who sets a price: the same open model costs something else on another host.
type provider struct {
	id         string
	hosts      []string  // a host, or with a dot before it the end of one
	regional   []string  // such hosts where it serves from one region, see [regionalPercent]
	like       *provider // has the prices of this one where it has none of its own
	everywhere bool      // the names of its models are nobody else's, whatever host answers,
	open       []string  // but for those that begin like this, which anybody may serve
	batch      batchTerms
	search     Dollars
	flatFlex   bool // flex is no cheaper
	renames    bool // its models have the names that who rents them gave them

	models map[string]*listing // by key
	match  []modelMatch        // for the names that are not in models
}

// listing is one line of a table.
type listing struct {
	provider string
	name     string
	family   string
	price    Price
	regional int64  // hundredths of the price at a regional host; 0: as the name says
	snapshot string // when the price was read: 2006-01-02, or the month alone
	source   string
	note     string
	builtIn  bool
	replaced *listing // the one that is built in and was in its place
}

// modelMatch finds a price for names that a rule describes.
type modelMatch struct {
	matches func(model string) bool
	model   *listing
}

// set puts a price into the table in the place of the one that was there.
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

// replace remembers which listing that is built in another one stands in place of.
func (m *listing) replace(old *listing) {
	if old != nil && old.builtIn && !m.builtIn {
		m.replaced = old
	}
}

// Older counts the models whose price comes from a file although one that is built in was read
// later, and says when the newest of those was read. What a file does not date is of the day on
// which the file itself was written. Prices that are the same do not count.
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

// same reports whether two prices are the same for short prompts.
func (p *Price) same(other *Price) bool {
	a, b := &p.Bands[0].Rates[Standard], &other.Bands[0].Rates[Standard]
	return a.Input == b.Input && a.Cached == b.Cached && a.Output == b.Output
}
