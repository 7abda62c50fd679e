package price

import (
	"cmp"
	"time"
)

// listedProvider is a provider in the table that is built into the program.
type listedProvider struct {
	id         string
	ids        []string // other ids that tables have for it
	hosts      []string
	regional   []string
	like       string   // the id of a provider further up
	everywhere bool     // the names are its own, so that the prices also hold on a host that is not in the table,
	open       []string // except for names with these prefixes
	batch      batchTerms
	flatFlex   bool
	renames    bool
	search     Dollars // a web search; 0: not published, or not the same for all models
	note       string
	snapshot   string
	source     string
	models     []listedModel
}

// listedModel is a model's price. A rate of 0 for cached tokens is not published: they cost what
// other prompt tokens do.
type listedModel struct {
	name          string
	aliases       []string
	family        string // "": see familyOf
	from          string // the first day of this price, 2006-01-02
	rates         Rates
	above         int64 // if the prompt has more tokens than this, the whole request costs long
	long          Rates
	priority      int64 // hundredths of the standard price; 0: priorityPercent
	batchUncached bool  // in a batch cached tokens cost what others do, whatever the provider's terms are
	unbatched     bool  // not offered in batches
	snapshot      string
	source        string // "": the provider's source
	note          string
}

const dayLayout = "2006-01-02"

// Default returns the built-in table as it is on a day (UTC), because some prices change on a day
// that is announced. It has the public list prices of the models in use, each with the day on which
// it was read, and no discounts that only some customers get.
func Default(day time.Time) *Table {
	today := day.UTC().Format(dayLayout)
	t := &Table{byID: make(map[string]*provider)}
	for i := range listed {
		l := &listed[i]
		at := t.add(l.id, l.ids...)
		at.hosts, at.everywhere, at.open, at.like, at.batch = l.hosts, l.everywhere, l.open, t.byID[l.like], l.batch
		at.regional, at.flatFlex, at.renames, at.search = l.regional, l.flatFlex, l.renames, l.search
		if at.like != nil && l.batch.percent == 0 {
			at.batch = at.like.batch
		}
		for j := range l.models {
			m := &l.models[j]
			if m.from > today {
				continue
			}
			note := m.note
			if note == "" && m.from == "" {
				note = l.note
			}
			at.set(&listing{
				builtIn: true, name: m.name, family: m.family, price: m.price(at), note: note,
				snapshot: cmp.Or(m.snapshot, l.snapshot), source: cmp.Or(m.source, l.source),
			}, m.aliases...)
		}
	}
	return t
}

// add adds a provider that has no prices yet.
func (t *Table) add(id string, others ...string) *provider {
	at := &provider{id: id, models: make(map[string]*listing)}
	t.providers = append(t.providers, at)
	t.byID[id] = at
	for _, other := range others {
		t.byID[other] = at
	}
	return at
}

func (m *listedModel) price(at *provider) Price {
	price := one(m.rates.whole())
	price.Fees.Search = [3]Dollars{at.search, at.search, at.search}
	if m.above > 0 {
		price.Bands = append(price.Bands, Band{Above: m.above, Rates: [tiers]Rates{Standard: m.long.whole()}})
	}
	if m.priority > 0 {
		for i := range price.Bands {
			price.Bands[i].Rates[Priority] = price.Bands[i].Rates[Standard].percent(m.priority)
		}
	}
	terms := at.batch
	terms.cached = terms.cached && !m.batchUncached
	if m.unbatched {
		terms = batchTerms{}
	}
	price.complete(terms, at.flatFlex)
	return price
}
