package price

import (
	"cmp"
	"slices"
	"strings"
)

// Row is a line of a price table, in dollars for a million tokens. A rate that is nil is not
// published: such tokens cost what the input or the output does, or the usual multiple of that.
type Row struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
	Family   string `json:"family"`
	Columns
	BatchInput  *Dollars `json:"batch_input"` // nil: no batch price is known
	BatchOutput *Dollars `json:"batch_output"`
	Flex        *Columns `json:"flex,omitempty"`        // if it is not half the price
	Priority    *Columns `json:"priority,omitempty"`    // if it is not twice the price
	Long        []Long   `json:"long_prompt,omitempty"` // by the prompt's length, the shortest first
	Fees        *RowFees `json:"fees,omitempty"`

	Snapshot string `json:"snapshot,omitempty"` // the day on which the price was read, 2006-01-02, or the month, 2006-01
	Source   string `json:"source,omitempty"`
	Note     string `json:"note,omitempty"`
}

// Columns are the rates of a row.
type Columns struct {
	Input     Dollars  `json:"input"`
	Cached    Dollars  `json:"cached_input"`
	Write     *Dollars `json:"cache_write,omitempty"`    // kept for five minutes
	WriteHour *Dollars `json:"cache_write_1h,omitempty"` // kept for an hour
	AudioIn   *Dollars `json:"audio_input,omitempty"`
	ImageIn   *Dollars `json:"image_input,omitempty"`
	Output    Dollars  `json:"output"`
	Reasoning *Dollars `json:"reasoning,omitempty"`
	AudioOut  *Dollars `json:"audio_output,omitempty"`
	ImageOut  *Dollars `json:"image_output,omitempty"`
}

// Long has the rates of requests with more than Above prompt tokens.
type Long struct {
	Above int64 `json:"above_tokens"`
	Columns
}

// RowFees are the fees, in dollars, of a request and of a web search.
type RowFees struct {
	Request *Dollars `json:"request,omitempty"`
	Search  *Search  `json:"search,omitempty"`
}

// Search is what a web search costs, by its search context: see [SearchContext].
type Search struct {
	Low    Dollars `json:"low"`
	Medium Dollars `json:"medium"`
	High   Dollars `json:"high"`
}

// List is a price table, or a part of one.
type List []Row

// List returns the whole table, sorted by provider and model. Aliases are not in it.
func (t *Table) List() List {
	list := List{}
	for _, at := range t.providers {
		for key, m := range at.models {
			if modelKey(m.name) == key {
				list = append(list, m.row())
			}
		}
	}
	slices.SortFunc(list, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Model, b.Model))
	})
	return list
}

// Named returns the rows that match any of the names. A name matches a row if the row's provider or
// model contains it, or if it is the row's family. Case does not matter.
func (l List) Named(names ...string) List {
	found := List{}
	for i := range l {
		row := &l[i]
		whole, family := strings.ToLower(row.Provider+" "+row.Model), strings.ToLower(row.Family)
		if slices.ContainsFunc(names, func(name string) bool {
			name = strings.ToLower(name)
			return name == family || strings.Contains(whole, name)
		}) {
			found = append(found, *row)
		}
	}
	return found
}

// Unlisted returns the ids of the providers that the table knows but has no prices for.
func (t *Table) Unlisted() []string {
	var ids []string
	for _, at := range t.providers {
		if len(at.models) == 0 && at.like == nil {
			ids = append(ids, at.id)
		}
	}
	return ids
}

// Family returns the provider's other models of a model's family: gpt-4o for gpt-4o-mini. The
// cheapest is first. It is empty if [Table.Lookup] finds no price.
func (t *Table) Family(provider, model string) List {
	of := t.find(provider, model)
	if of == nil {
		return nil
	}
	list := List{}
	for key, m := range t.byID[of.provider].models {
		if m.family == of.family && m != of && modelKey(m.name) == key {
			list = append(list, m.row())
		}
	}
	slices.SortFunc(list, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Input+a.Output, b.Input+b.Output), cmp.Compare(a.Model, b.Model))
	})
	return list
}

func (m *listing) row() Row {
	base := &m.price.Bands[0].Rates
	row := Row{
		Provider: m.provider, Model: m.name, Family: m.family, Columns: base[Standard].columns(),
		Fees: m.price.Fees.row(), Snapshot: m.snapshot, Source: m.source, Note: m.note,
	}
	if m.price.HasBatch {
		row.BatchInput, row.BatchOutput = &base[Batched].Input, &base[Batched].Output
	}
	if half := base[Standard].percent(flexPercent); base[Flex] != half {
		flex := base[Flex].columns()
		row.Flex = &flex
	}
	if twice := base[Standard].percent(priorityPercent); base[Priority] != twice {
		priority := base[Priority].columns()
		row.Priority = &priority
	}
	for i := range m.price.Bands[1:] {
		band := &m.price.Bands[1+i]
		row.Long = append(row.Long, Long{Above: band.Above, Columns: band.Rates[Standard].columns()})
	}
	return row
}

func (r *Rates) columns() Columns {
	published := func(d *Dollars) *Dollars {
		if *d == 0 {
			return nil
		}
		return d
	}
	return Columns{
		Input: r.Input, Cached: r.Cached, Write: published(&r.CacheWrite), WriteHour: published(&r.CacheHour),
		AudioIn: published(&r.AudioIn), ImageIn: published(&r.ImageIn),
		Output: r.Output, Reasoning: published(&r.Reasoning), AudioOut: published(&r.AudioOut), ImageOut: published(&r.ImageOut),
	}
}

// row returns nil if there are no fees.
func (f *Fees) row() *RowFees {
	var row RowFees
	if f.Request > 0 {
		row.Request = &f.Request
	}
	if f.Search != [3]Dollars{} {
		row.Search = &Search{f.Search[0], f.Search[1], f.Search[2]}
	}
	if row == (RowFees{}) {
		return nil
	}
	return &row
}
