package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"llmpipe/ledger/price"
	"llmpipe/ledger/report"
	"llmpipe/stream/ui"
)

// WriteHTML writes what ledgers say was spent as one page of HTML that needs nothing else, to the
// file name, or to w where name is "-".
func WriteHTML(w io.Writer, voice *ui.Voice, name string, paths ...string) error {
	if err := checkPageName(name, paths); err != nil {
		return err
	}
	sums, err := report.New(warnings(voice), paths...)
	if err != nil {
		return readHint(paths[0], err)
	}
	page, err := pageOf(sums, paths)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if name == "-" {
		_, err = w.Write(page)
		return err
	}
	return writePage(name, page)
}

//go:embed report.html
var pageSource string

//go:embed report.css
var pageStyle string

// page is what the template is filled with. What comes out of a ledger is hostile until
// html/template has escaped it.
type page struct {
	Policy  string // what the page may load: its own style, known by its hash, and nothing else
	Style   template.CSS
	Ledgers []string
	Notes   []string
	Figures []figure
	Charts  []*chart
	UpWidth int // of the labels beside all charts, in pixels, so that what is above each other is of the same time
	Tables  []table
	Errors  *errorTable
}

// figure is one of the numbers that stand at the head.
type figure struct {
	Name, Value string
	Details     []string
}

// table is the figures by model or by provider.
type table struct {
	Title, Name string
	Rows        []row
	More        string // what was left out
}

type row struct {
	Name                                    string
	Total                                   bool
	Results, Failures, Prompt, Completion   string
	Exact, Cost, P50, P95, P99, UnknownCost string
}

type errorTable struct {
	Rows []errorRow
	More string
}

type errorRow struct{ Class, Code, Status, Message, Count, Share, Bar string }

// maxRows bounds the tables: a page of thousands of rows is read by nobody, and report --json has
// them all.
const maxRows = 50

func pageOf(r *report.Report, ledgers []string) ([]byte, error) {
	hash := sha256.Sum256([]byte(pageStyle))
	p := page{
		Policy:  "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'",
		Style:   template.CSS(pageStyle),
		Ledgers: ledgers,
		Notes:   notes(r),
		Figures: figures(r),
		Charts:  charts(r),
	}
	for _, c := range p.Charts {
		for _, t := range c.Up {
			const widest = 8 // of a digit
			p.UpWidth = max(p.UpWidth, widest*utf8.RuneCountInString(t.Label))
		}
	}
	if records(r) > 0 {
		p.Tables = []table{tableOf("By model", "Model", r.Models, &r.Total), tableOf("By provider", "Provider", r.Providers, &r.Total)}
		p.Errors = errorsOf(r)
	}
	t, err := template.New("report").Parse(pageSource)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	err = t.Execute(&out, p)
	// html/template leaves control characters as they are: they mean nothing to HTML, and much to
	// the terminal of who looks at the file itself.
	return []byte(ui.PrintableLines(out.String())), err
}

func records(r *report.Report) int64 { return r.Total.Results + r.Total.Failures }

// notes are what must be known before any figure is believed.
func notes(r *report.Report) []string {
	var notes []string
	if records(r) == 0 {
		notes = append(notes, "There is no record in it yet.")
	}
	if r.Simulated {
		notes = append(notes, "All of it is simulated: no provider was asked, and the cost is what it would have been.")
	}
	if n := r.SimulatedLeftOut; n > 0 {
		notes = append(notes, ui.Number(n, "simulated record")+" left out.")
	}
	if n := r.Total.UnknownCost; n > 0 && r.Total.Cost != nil {
		notes = append(notes, "No price is known for "+ui.Number(n, "record")+": what they cost is in no figure here.")
	}
	if r.Kept > 0 {
		notes = append(notes, fmt.Sprintf("Attempts whose cost nobody said may have cost $%s at most, which is in no figure here.", r.Kept))
	}
	notes = append(notes, exposure(&r.Lost, "in flight when their runs were killed may have cost")...)
	notes = append(notes, exposure(&r.AtRisk, "in flight may cost")...)
	if len(r.Timeline.Moments) == 1 && records(r) > 0 {
		notes = append(notes, "All of it happened within "+howLong(r.Timeline.Step)+": there is nothing to draw over time.")
	}
	return notes
}

// exposure says what requests whose outcome is not recorded may cost.
func exposure(e *report.Exposure, what string) []string {
	if e.Requests == 0 {
		return nil
	}
	note := fmt.Sprintf("%s %s $%s at most, which is in no figure here", ui.Number(e.Requests, "request"), what, e.MayCost)
	if e.Unknown > 0 {
		note += "; of " + ui.Grouped(e.Unknown) + " no price is known"
	}
	return []string{note + "."}
}

func figures(r *report.Report) []figure {
	t := &r.Total
	answered := figure{"Records", ui.Grouped(records(r)), []string{ui.Grouped(t.Results) + " answered", ui.Grouped(t.Failures) + " failed"}}
	if records(r) == 0 {
		return []figure{answered}
	}
	if t.Failures > 0 {
		answered.Details[1] += " (" + share(t.Failures, records(r)) + ")"
	}
	tokens := figure{"Tokens", ui.Grouped(t.PromptTokens + t.CompletionTokens),
		[]string{ui.Grouped(t.PromptTokens) + " prompt", ui.Grouped(t.CompletionTokens) + " completion"}}
	if t.CachedTokens > 0 {
		tokens.Details[0] += " (" + ui.Grouped(t.CachedTokens) + " cached)"
	}
	if t.ReasoningTokens > 0 {
		tokens.Details[1] += " (" + ui.Grouped(t.ReasoningTokens) + " of reasoning)"
	}
	figures := []figure{answered, costFigure(t), tokens}
	if l := t.Latency; t.Results > 0 {
		figures = append(figures, figure{"Median latency", latencyLabel(l.P50),
			[]string{"p95 " + latencyLabel(l.P95), "p99 " + latencyLabel(l.P99)}})
	}
	if !r.First.IsZero() {
		first, last := r.First.UTC(), r.Last.UTC()
		figures = append(figures, figure{"Time", howLong(last.Sub(first)),
			append(when(first, last), ui.Number(r.Runs, "run"))})
	}
	return figures
}

func costFigure(t *report.Row) figure {
	if t.Cost == nil {
		return figure{"Cost", "unknown", []string{"no price is known for any record"}}
	}
	f := figure{Name: "Cost", Value: ui.USD(int64(*t.Cost))}
	if t.UnknownCost > 0 {
		f.Details = []string{"and " + ui.Grouped(t.UnknownCost) + " records of unknown cost"}
	} else if t.Results > 0 {
		f.Details = []string{ui.USD(int64(*t.Cost/price.Dollars(t.Results)*1000)) + " for 1,000 answers"}
	}
	return f
}

// share is a part in per cent, with a decimal where it is small.
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

// charts draws what there is to draw.
func charts(r *report.Report) []*chart {
	var charts []*chart
	if len(r.Timeline.Moments) > 1 {
		columns := timeColumns(r)
		if r.Total.Cost != nil && *r.Total.Cost > 0 {
			charts = append(charts, spendChart(r, &columns))
		}
		charts = append(charts, throughputChart(r, &columns))
	}
	const aDistribution = 5
	if r.Total.Results >= aDistribution {
		charts = append(charts, latencyChart(r))
	}
	return charts
}

func tableOf(title, name string, rows []report.Row, total *report.Row) table {
	t := table{Title: title, Name: name}
	if left := len(rows) - maxRows; left > 0 {
		t.More = ui.Grouped(int64(left)) + " more are left out here; llmpipe report --json has them."
		rows = rows[:maxRows]
	}
	for i := range rows {
		t.Rows = append(t.Rows, rowOf(&rows[i], total))
	}
	if len(rows) > 1 {
		whole := rowOf(total, total)
		whole.Name, whole.Total = "Total", true
		t.Rows = append(t.Rows, whole)
	}
	return t
}

// rowOf formats a row; all costs of a table have as many decimals as the total calls for.
func rowOf(r, total *report.Row) row {
	out := row{
		Name: r.Name, Results: ui.Grouped(r.Results), Failures: ui.Grouped(r.Failures),
		Prompt: ui.Grouped(r.PromptTokens), Completion: ui.Grouped(r.CompletionTokens), Cost: "unknown", P50: "–", P95: "–", P99: "–",
	}
	if r.Name == "" {
		out.Name = "(not named)"
	}
	if r.Results > 0 {
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
			t.More = ui.Grouped(int64(len(r.Errors)-maxRows)) + " more kinds are left out here; llmpipe report --json has them."
			break
		}
		line := errorRow{
			Class: e.Type, Code: e.Code, Message: e.Message, Count: ui.Grouped(e.Count),
			Share: share(e.Count, r.Total.Failures), Bar: percent(100 * float64(e.Count) / float64(r.Total.Failures)),
		}
		if e.Status > 0 {
			line.Status = strconv.Itoa(e.Status)
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}
