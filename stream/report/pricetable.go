package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"llmpipe/ledger/price"
	"llmpipe/stream/ui"
)

// writePrices writes a list of prices for people.
func writePrices(w io.Writer, list price.List) error {
	var out bytes.Buffer
	out.WriteString("US dollars a million tokens\n\n")
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "INPUT\tCACHED\tOUTPUT\tBATCH IN\tBATCH OUT\tREAD ON\t  MODEL\n")
	for i := range list {
		row := &list[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t  %s\n", cents(&row.Input), cents(&row.Cached), cents(&row.Output),
			cents(row.BatchInput), cents(row.BatchOutput), cmp.Or(row.Snapshot, "-"), priceTitle(row))
	}
	_ = table.Flush() // to memory, which does not fail
	_, err := w.Write(out.Bytes())
	return err
}

// priceTitle leaves what has no column of its own to the end of the line.
func priceTitle(r *price.Row) string {
	title := ui.Printable(r.Provider + " " + r.Model)
	for i := range r.Long {
		long := &r.Long[i]
		title += fmt.Sprintf(" (a prompt over %s tokens: %s, %s, %s)",
			ui.Grouped(long.Above), cents(&long.Input), cents(&long.Cached), cents(&long.Output))
	}
	if r.AudioIn != nil || r.AudioOut != nil {
		title += fmt.Sprintf(" (sound: %s, %s)", cents(r.AudioIn), cents(r.AudioOut))
	}
	if f := r.Fees; f != nil && f.Request != nil {
		title += fmt.Sprintf(" (and %s a request)", cents(f.Request))
	}
	if f := r.Fees; f != nil && f.Search != nil {
		title += fmt.Sprintf(" (and %s to %s a search)", cents(&f.Search.Low), cents(&f.Search.High))
	}
	if r.Note != "" {
		title += " (" + ui.Printable(r.Note) + ")"
	}
	return title
}

// cents writes an amount with two decimals, or with more where it has more.
func cents(d *price.Dollars) string {
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
