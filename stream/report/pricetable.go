package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"llmpipe/ledger/price"
	"llmpipe/stream/ui"
)

// priceWidth is the width of a price table in characters, unless a word is longer.
const priceWidth = 80

// priceHeads are the columns of a price table. The model's name follows them.
var priceHeads = [...]string{"INPUT", "CACHED", "OUTPUT", "BATCH", "READ ON"}

// writePrices writes a list of prices for people, grouped by provider, and names the providers
// without prices.
func writePrices(w io.Writer, list price.List, unlisted []string) error {
	var widths [len(priceHeads)]int
	for i, head := range priceHeads {
		widths[i] = len(head)
	}
	for i := range list {
		for j, cell := range priceCells(&list[i]) {
			widths[j] = max(widths[j], len(cell))
		}
	}
	var out bytes.Buffer
	line := func(cells [len(priceHeads)]string, name string) {
		var figures string
		for i, cell := range cells {
			figures += fmt.Sprintf("%*s  ", widths[i], cell)
		}
		if len(figures)+len(name) > priceWidth {
			figures = strings.TrimRight(figures, " ") + "\n    "
		}
		out.WriteString(figures + name + "\n")
	}
	out.WriteString("US dollars per million tokens; batch prices in percent, or for input/output\n\n")
	line(priceHeads, "MODEL")
	for len(list) > 0 {
		end := slices.IndexFunc(list, func(r price.Row) bool { return r.Provider != list[0].Provider })
		if end < 0 {
			end = len(list)
		}
		all := sharedNotes(list[:end])
		out.WriteString(wrapped(strings.Join(append([]string{ui.Printable(list[0].Provider)}, all...), "; "), ""))
		for i := range list[:end] {
			line(priceCells(&list[i]), ui.Printable(list[i].Model))
			own := slices.DeleteFunc(priceNotes(&list[i]), func(note string) bool { return slices.Contains(all, note) })
			out.WriteString(wrapped(strings.Join(own, "; "), "    "))
		}
		list = list[end:]
	}
	if len(unlisted) > 0 {
		out.WriteString("\n" + wrapped("Not built in: "+strings.Join(unlisted, ", ")+
			". Providers of open models change prices often: give --prices the latest table of LiteLLM "+
			"(model_prices_and_context_window.json) or genai-prices (data.json).", ""))
	}
	_, err := w.Write(out.Bytes())
	return err
}

func priceCells(r *price.Row) [len(priceHeads)]string {
	return [...]string{cents(&r.Input), cents(&r.Cached), cents(&r.Output), batchShare(r), cmp.Or(r.Snapshot, "-")}
}

// batchShare returns the price of a batch: in percent of the usual price if one percentage holds
// for input and output, or else as two prices.
func batchShare(r *price.Row) string {
	if r.BatchInput == nil {
		return "-"
	}
	for percent := price.Dollars(1); percent <= 100; percent++ {
		if *r.BatchInput*100 == r.Input*percent && *r.BatchOutput*100 == r.Output*percent {
			return fmt.Sprintf("%d%%", percent)
		}
	}
	return cents(r.BatchInput) + "/" + cents(r.BatchOutput)
}

// sharedNotes returns the notes that all rows have.
func sharedNotes(list price.List) []string {
	shared := priceNotes(&list[0])
	for i := range list {
		notes := priceNotes(&list[i])
		shared = slices.DeleteFunc(shared, func(note string) bool { return !slices.Contains(notes, note) })
	}
	return shared
}

// priceNotes returns what has no column of its own.
func priceNotes(r *price.Row) []string {
	var notes []string
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	for i := range r.Long {
		long := &r.Long[i]
		add("prompts over %s tokens: %s, %s, %s", ui.Grouped(long.Above), cents(&long.Input), cents(&long.Cached), cents(&long.Output))
	}
	if r.AudioIn != nil || r.AudioOut != nil {
		add("sound: %s, %s", cents(r.AudioIn), cents(r.AudioOut))
	}
	if f := r.Fees; f != nil && f.Request != nil {
		add("%s per request", cents(f.Request))
	}
	if f := r.Fees; f != nil && f.Search != nil && f.Search.Low == f.Search.High {
		add("%s per search", cents(&f.Search.Low))
	} else if f != nil && f.Search != nil {
		add("%s to %s per search", cents(&f.Search.Low), cents(&f.Search.High))
	}
	if r.Note != "" {
		add("%s", ui.Printable(r.Note))
	}
	if r.Source != "" {
		add("from %s", ui.Printable(r.Source))
	}
	return notes
}

// wrapped returns text in lines of at most priceWidth characters, unless a word is longer.
func wrapped(text, indent string) string {
	var out strings.Builder
	width := 0
	for _, word := range strings.Fields(text) {
		switch {
		case width == 0:
			out.WriteString(indent)
			width = len(indent)
		case width+1+len(word) > priceWidth:
			out.WriteString("\n" + indent)
			width = len(indent)
		default:
			out.WriteByte(' ')
			width++
		}
		out.WriteString(word)
		width += len(word)
	}
	if width > 0 {
		out.WriteByte('\n')
	}
	return out.String()
}

// cents writes an amount with two decimals, or with more if it has more.
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
