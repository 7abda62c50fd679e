package price

import (
	"cmp"
	"slices"
)

// Row is a line of a price table, in dollars for a million tokens.
type Row struct {
	Provider    string   `json:"provider"`
	Model       string   `json:"model"`
	Input       Dollars  `json:"input"`
	Cached      Dollars  `json:"cached_input"`
	Output      Dollars  `json:"output"`
	BatchInput  *Dollars `json:"batch_input"` // nil: no batch price is known
	BatchOutput *Dollars `json:"batch_output"`
	Long        *Long    `json:"long_prompt,omitempty"`

	Snapshot string `json:"snapshot,omitempty"` // when the price was read: 2006-01-02, or the month alone
	Source   string `json:"source,omitempty"`
	Note     string `json:"note,omitempty"`
}

// Long is what a request costs whose prompt has more tokens than Above.
type Long struct {
	Above  int64   `json:"above_tokens"`
	Input  Dollars `json:"input"`
	Cached Dollars `json:"cached_input"`
	Output Dollars `json:"output"`
}

// List is a price table, or a part of one.
type List []Row

// List is the whole table, by provider and model. A name that is another's alias is not in it.
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

// Family is what else the provider has of the same family as a model: gpt-4o for gpt-4o-mini. The
// cheapest stands first. It is empty where [Table.Lookup] knows no price.
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
	row := Row{
		Provider: m.provider, Model: m.name,
		Input: m.price.Input, Cached: m.price.Cached, Output: m.price.Output,
		Snapshot: m.snapshot, Source: m.source, Note: m.note,
	}
	if m.price.HasBatch {
		batch := m.price.Batch
		row.BatchInput, row.BatchOutput = &batch.Input, &batch.Output
	}
	if m.price.LongAbove > 0 {
		long := m.price.LongRates
		row.Long = &Long{m.price.LongAbove, long.Input, long.Cached, long.Output}
	}
	return row
}
