package ledger

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// PriceRow is a line of a price table, in dollars for a million tokens.
type PriceRow struct {
	Provider    string     `json:"provider"`
	Model       string     `json:"model"`
	Input       Dollars    `json:"input"`
	Cached      Dollars    `json:"cached_input"`
	Output      Dollars    `json:"output"`
	BatchInput  *Dollars   `json:"batch_input"` // nil: no batch price is known
	BatchOutput *Dollars   `json:"batch_output"`
	Long        *LongPrice `json:"long_prompt,omitempty"`

	Snapshot string `json:"snapshot,omitempty"` // when the price was read: 2006-01-02, or the month alone
	Source   string `json:"source,omitempty"`
	Note     string `json:"note,omitempty"`
}

// LongPrice is what a request costs whose prompt has more tokens than Above.
type LongPrice struct {
	Above  int64   `json:"above_tokens"`
	Input  Dollars `json:"input"`
	Cached Dollars `json:"cached_input"`
	Output Dollars `json:"output"`
}

// PriceList is a price table, or a part of one.
type PriceList []PriceRow

// List is the whole table, by provider and model. A name that is another's alias is not in it.
func (p *Prices) List() PriceList {
	list := PriceList{}
	for _, at := range p.providers {
		for key, m := range at.models {
			if modelKey(m.name) == key {
				list = append(list, m.row())
			}
		}
	}
	slices.SortFunc(list, func(a, b PriceRow) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Model, b.Model))
	})
	return list
}

// Family is what else the provider has of the same family as a model: gpt-4o for gpt-4o-mini. The
// cheapest stands first. It is empty where [Prices.Lookup] knows no price.
func (p *Prices) Family(provider, model string) PriceList {
	of := p.find(provider, model)
	if of == nil {
		return nil
	}
	list := PriceList{}
	for key, m := range p.byID[of.provider].models {
		if m.family == of.family && m != of && modelKey(m.name) == key {
			list = append(list, m.row())
		}
	}
	slices.SortFunc(list, func(a, b PriceRow) int {
		return cmp.Or(cmp.Compare(a.Input+a.Output, b.Input+b.Output), cmp.Compare(a.Model, b.Model))
	})
	return list
}

func (m *modelPrice) row() PriceRow {
	row := PriceRow{
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
		row.Long = &LongPrice{m.price.LongAbove, long.Input, long.Cached, long.Output}
	}
	return row
}

// WriteTable writes the list for people.
func (l PriceList) WriteTable(w io.Writer) error {
	var out bytes.Buffer
	out.WriteString("US dollars a million tokens\n\n")
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "INPUT\tCACHED\tOUTPUT\tBATCH IN\tBATCH OUT\tREAD ON\t  MODEL\n")
	for i := range l {
		row := &l[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t  %s\n", cents(&row.Input), cents(&row.Cached), cents(&row.Output),
			cents(row.BatchInput), cents(row.BatchOutput), cmp.Or(row.Snapshot, "-"), row.title())
	}
	_ = table.Flush() // to memory, which does not fail
	_, err := w.Write(out.Bytes())
	return err
}

// title leaves what has no column of its own to the end of the line.
func (r *PriceRow) title() string {
	title := printable(r.Provider + " " + r.Model)
	if r.Long != nil {
		title += fmt.Sprintf(" (a prompt over %s tokens: %s, %s, %s)",
			grouped(r.Long.Above), cents(&r.Long.Input), cents(&r.Long.Cached), cents(&r.Long.Output))
	}
	if r.Note != "" {
		title += " (" + printable(r.Note) + ")"
	}
	return title
}

// cents writes an amount with two decimals, or with more where it has more.
func cents(d *Dollars) string {
	if d == nil {
		return "-"
	}
	text := d.String()
	_, decimals, point := strings.Cut(text, ".")
	switch {
	case !point:
		return text + ".00"
	case len(decimals) == 1:
		return text + "0"
	}
	return text
}
