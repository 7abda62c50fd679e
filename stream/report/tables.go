package report

import (
	"cmp"
	"strconv"
	"time"

	"llmpipe/ledger/report"
	"llmpipe/stream/ui"
)

// table is the figures by model or by provider.
type table struct {
	Title, Name string
	Rows        []row
	Several     bool   // there are several rows beside the total
	Bars        bool   // each row's cost is drawn
	More        string // what was left out
}

type row struct {
	Name                                    string
	Total                                   bool
	Results, Failures, Prompt, Completion   string
	Exact, Cost, P50, P95, P99, UnknownCost string
	Bar                                     string // of the cost, in per cent of the total
}

type errorTable struct {
	Rows []errorRow
	More string
}

type errorRow struct{ Class, Code, Status, Message, Count, Open, Bar string }

// openTable is the records without an answer.
type openTable struct {
	Rows  []openRow
	More  string
	Again string
}

type openRow struct{ ID, Failure, Message, Model, When string }

type runRow struct {
	Started, Took, Mode, Answered, Failed, Skipped, Retries, Limited, Cost, Ended string
	Bad                                                                           bool // it did not do all of its work
}

// schemaTable has the places where answers did not fit their schema.
type schemaTable struct {
	Notes string
	Rows  []schemaRow
}

type schemaRow struct{ Place, Count, Bar string }

// maxRows bounds the tables, because nobody reads a page of thousands of rows. report --json has
// all of them.
const maxRows = 50

func tableOf(title, name string, rows []report.Row, total *report.Row) table {
	t := table{Title: title, Name: name, Several: len(rows) > 1, Bars: len(rows) > 1 && total.Cost != nil && *total.Cost > 0}
	if left := len(rows) - maxRows; left > 0 {
		t.More = ui.Grouped(int64(left)) + " more are left out; llmpipe report --json lists them."
		rows = rows[:maxRows]
	}
	for i := range rows {
		t.Rows = append(t.Rows, rowOf(&rows[i], total))
	}
	if len(rows) > 1 {
		whole := rowOf(total, total)
		whole.Name, whole.Total, whole.Bar = "All", true, ""
		t.Rows = append(t.Rows, whole)
	}
	return t
}

// rowOf formats a row. All costs of a table have the number of decimals that the total needs.
func rowOf(r, total *report.Row) row {
	out := row{
		Name: r.Name, Results: ui.Grouped(r.Results), Failures: ui.Grouped(r.Failures),
		Prompt: ui.Grouped(r.PromptTokens), Completion: ui.Grouped(r.CompletionTokens), Cost: "unknown", P50: "–", P95: "–", P99: "–",
	}
	if r.Name == "" {
		out.Name = "(not named)"
	}
	if r.Latency != (report.Latencies{}) {
		out.P50, out.P95, out.P99 = latencyLabel(r.Latency.P50), latencyLabel(r.Latency.P95), latencyLabel(r.Latency.P99)
	}
	if r.Cost != nil {
		decimals := 2
		switch {
		case total.Cost == nil || *total.Cost == 0:
		case *total.Cost < 1e9:
			decimals = 6
		case *total.Cost < 100e9:
			decimals = 4
		}
		if total.Cost != nil && *total.Cost > 0 {
			out.Bar = percent(100 * float64(*r.Cost) / float64(*total.Cost))
		}
		out.Exact, out.Cost = r.Cost.String(), "$"+strconv.FormatFloat(float64(*r.Cost)/1e9, 'f', decimals, 64)
	}
	if r.UnknownCost > 0 && r.Cost != nil {
		out.UnknownCost = "+ " + ui.Grouped(r.UnknownCost) + " unknown"
	}
	return out
}

func errorsOf(r *report.Report) *errorTable {
	t := &errorTable{}
	for i, e := range r.Errors {
		if i == maxRows {
			t.More = ui.Grouped(int64(len(r.Errors)-maxRows)) + " more kinds are left out; llmpipe report --json lists them."
			break
		}
		line := errorRow{
			Class: e.Type, Code: e.Code, Message: e.Message, Count: ui.Grouped(e.Count), Open: ui.Grouped(e.Open),
			Bar: percent(100 * float64(e.Count) / float64(max(r.Attempts.Failures, 1))),
		}
		if e.Status > 0 {
			line.Status = strconv.Itoa(e.Status)
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}

// Bounds of a page's lists.
const (
	pageOpen = 30
	pageRuns = 30
)

func openOf(r *report.Report) *openTable {
	if r.Records.Failed == 0 {
		return nil
	}
	t := &openTable{Again: "Run the same command again: it sends only these."}
	shown := r.Open[:min(len(r.Open), pageOpen)]
	for i := range shown {
		f := &shown[i]
		t.Rows = append(t.Rows, openRow{
			ID: f.ID, Failure: failure(f), Message: f.Message, Model: f.Model, When: f.Time.UTC().Format(momentLayout(time.Second)),
		})
	}
	if more := r.Records.Failed - int64(len(shown)); more > 0 {
		t.More = "And " + ui.Grouped(more) + " more: " + whichOpen + " lists them."
	}
	return t
}

func runsOf(r *report.Report) (rows []runRow, earlier string) {
	shown := r.LastRuns[max(len(r.LastRuns)-pageRuns, 0):]
	for i := range shown {
		run, c := &shown[i], &shown[i].Counts
		rows = append(rows, runRow{
			Started: run.Started.UTC().Format("2 Jan 2006 15:04:05"), Took: howLong(run.Ended.Sub(run.Started)), Mode: cmp.Or(run.Mode, "–"),
			Answered: ui.Grouped(c.Answered), Failed: ui.Grouped(c.Failed), Skipped: ui.Grouped(c.Skipped), Retries: ui.Grouped(c.Retries),
			Limited: limited(run), Cost: ui.USD(int64(c.Cost)), Ended: ended(run), Bad: run.Exit != nil && *run.Exit != 0,
		})
	}
	if more := r.Runs - int64(len(shown)); more > 0 {
		earlier = "And " + ui.Number(more, "earlier run") + "."
	}
	return rows, earlier
}

func schemaOf(s *report.Schema) *schemaTable {
	if s == nil {
		return nil
	}
	t := &schemaTable{Notes: misfits(s)}
	sum := int64(0)
	for _, f := range s.Failures {
		sum += f.Count
	}
	for _, f := range s.Failures {
		t.Rows = append(t.Rows, schemaRow{f.Place, ui.Grouped(f.Count), percent(100 * float64(f.Count) / float64(sum))})
	}
	return t
}
