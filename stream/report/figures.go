package report

import (
	"strconv"

	"llmpipe/ledger/price"
	"llmpipe/ledger/report"
	"llmpipe/stream/ui"
)

// figure is one of the numbers at the top of the page.
type figure struct {
	Name, Value string
	Details     []string
}

func figures(r *report.Report) []figure {
	t := &r.Total
	became := figure{"Records", ui.Grouped(records(r)), []string{answered(&r.Records), ui.Grouped(r.Records.Failed) + " failed"}}
	if records(r) == 0 {
		return []figure{became}
	}
	if r.Records.Failed > 0 {
		became.Details[1] += " (" + share(r.Records.Failed, records(r)) + ")"
	}
	became.Details = append(became.Details, unusual(&r.Records)...)
	tokens := figure{"Tokens", ui.Grouped(t.PromptTokens + t.CompletionTokens),
		[]string{ui.Grouped(t.PromptTokens) + " prompt", ui.Grouped(t.CompletionTokens) + " completion"}}
	if t.CachedTokens > 0 {
		tokens.Details[0] += " (" + ui.Grouped(t.CachedTokens) + " cached)"
	}
	if t.ReasoningTokens > 0 {
		tokens.Details[1] += " (" + ui.Grouped(t.ReasoningTokens) + " reasoning)"
	}
	figures := []figure{became, costFigure(r)}
	for i := range r.Budgets {
		figures = append(figures, budgetFigure(&r.Budgets[i], len(r.Budgets) > 1))
	}
	figures = append(figures, tokens)
	if l := t.Latency; l != (report.Latencies{}) {
		figures = append(figures, figure{"Median latency", latencyLabel(l.P50),
			[]string{"p95 " + latencyLabel(l.P95), "p99 " + latencyLabel(l.P99)}})
	}
	a := attempts(&r.Attempts)
	figures = append(figures, figure{"Attempts", ui.Grouped(r.Attempts.Answers + r.Attempts.Failures), a})
	if notes := flagged(&r.Records); len(notes) > 0 {
		sum := int64(0)
		for _, f := range r.Records.Flagged {
			sum += f.Count
		}
		figures = append(figures, figure{"Flagged", ui.Grouped(sum), notes})
	}
	if !r.First.IsZero() {
		first, last := r.First.UTC(), r.Last.UTC()
		name := "Time"
		if len(r.Timeline.Spans) > 1 {
			name = "Time in use" // without the idle time that charts leave out
		}
		figures = append(figures, figure{name, howLong(last.Sub(first) - r.Timeline.Idle()),
			append(when(first, last), ui.Number(r.Runs, "run"))})
	}
	return figures
}

func costFigure(r *report.Report) figure {
	t := &r.Total
	f := figure{Name: "Cost"}
	if r.Simulated {
		f.Name = "Cost (simulated)"
	}
	if t.Cost == nil {
		f.Value, f.Details = "unknown", []string{"no price is known for any record"}
		return f
	}
	f.Value = ui.USD(int64(*t.Cost))
	if t.UnknownCost > 0 {
		f.Details = []string{"and " + ui.Number(t.UnknownCost, "answer") + " of unknown cost"}
	} else if r.Records.Answered > 0 {
		f.Details = []string{ui.USD(int64(*t.Cost/price.Dollars(r.Records.Answered)*1000)) + " for 1,000 records"}
	}
	if b := r.Batches; b != nil {
		f.Details = append(f.Details, ui.USD(int64(b.Cost))+" by batch")
	}
	return f
}

// budgetFigure returns what is left of a budget, with the day's budget below it. named is true if
// there are several budgets.
func budgetFigure(b *report.Budget, named bool) figure {
	f := figure{Name: "Budget left", Value: ui.Amount(b.Left)}
	if b.Total != nil {
		f.Details = []string{"of " + ui.Amount(b.Total)}
	}
	if b.Daily != nil {
		if b.Total == nil {
			f.Value = ui.Amount(b.LeftToday)
			f.Details = []string{"of " + ui.Amount(b.Daily) + " until 00:00 UTC"}
		} else {
			f.Details = append(f.Details, ui.Amount(b.LeftToday)+" of "+ui.Amount(b.Daily)+" until 00:00 UTC")
		}
	}
	if named {
		f.Details = append(f.Details, b.Ledger)
	}
	return f
}

// share returns n's part of a whole in per cent, with one decimal if it is small.
func share(n, of int64) string {
	p := 100 * float64(n) / float64(of)
	switch {
	case p > 0 && p < 0.1:
		return "under 0.1\u00a0%"
	case p < 10:
		return strconv.FormatFloat(p, 'f', 1, 64) + "\u00a0%"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + "\u00a0%"
}
