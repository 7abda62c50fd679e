package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode/utf8"

	"llmpipe/ledger/report"
	"llmpipe/stream/ui"
)

// WriteHTML writes a report on ledgers as one self-contained page of HTML, to the file name, or to
// w if name is "-".
func WriteHTML(w io.Writer, voice *ui.Voice, name string, paths ...string) error {
	if err := checkPageName(name, paths); err != nil {
		return err
	}
	sums, err := add(voice, paths)
	if err != nil {
		return err
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

// page is the data for the template. Text from a ledger is hostile until html/template has escaped
// it.
type page struct {
	Policy  string // what the page may load: only its own style, by its hash
	Style   template.CSS
	Ledgers []string
	Notes   []string
	Figures []figure
	Charts  []*chart
	UpWidth int // of the labels beside every chart, in pixels, so that the charts' times line up
	Tables  []table
	Errors  *errorTable
	Open    *openTable // nil if every record is answered
	Runs    []runRow
	Earlier string // the runs that are left out
	Schema  *schemaTable
}

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
			const widest = 8 // width of a digit, in pixels
			p.UpWidth = max(p.UpWidth, widest*utf8.RuneCountInString(t.Label))
		}
	}
	if records(r) > 0 {
		p.Tables = []table{tableOf("By model", "Model", r.Models, &r.Total)}
		if len(r.Providers) > 1 {
			p.Tables = append(p.Tables, tableOf("By provider", "Provider", r.Providers, &r.Total))
		}
		p.Errors, p.Open, p.Schema = errorsOf(r), openOf(r), schemaOf(r.Schema)
		p.Runs, p.Earlier = runsOf(r)
	}
	t, err := template.New("report").Parse(pageSource)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	err = t.Execute(&out, p)
	// html/template leaves control characters as they are. They mean nothing in HTML, but a terminal
	// that shows the file itself would obey them.
	return []byte(ui.PrintableLines(out.String())), err
}

func records(r *report.Report) int64 { return r.Records.Total }

// notes returns what a reader must know before believing any figure.
func notes(r *report.Report) []string {
	var notes []string
	if records(r) == 0 {
		notes = append(notes, "There are no records yet.")
	}
	if r.Simulated {
		notes = append(notes, "Everything here is simulated: no provider was asked, and the cost is what real answers would have cost.")
	}
	if ids := r.Records.IDs; ids < records(r) {
		notes = append(notes, "The records have only "+ui.Number(ids, "id")+": some were sent with different requests under one id.")
	}
	if n := r.SimulatedLeftOut; n > 0 {
		notes = append(notes, ui.Number(n, "simulated record")+" left out.")
	}
	if n := r.Total.UnknownCost; n > 0 && r.Total.Cost != nil {
		notes = append(notes, "The costs here leave out "+ui.Number(n, "answer")+" of unknown price.")
	}
	if r.Kept > 0 {
		notes = append(notes, fmt.Sprintf("Attempts whose cost was not reported may have cost up to $%s, which is not included here.", r.Kept))
	}
	notes = append(notes, exposure(&r.Lost, "in flight when their runs were killed may have cost")...)
	notes = append(notes, exposure(&r.AtRisk, "in flight may cost")...)
	if r.Timeline.Steps() == 1 && records(r) > 0 {
		notes = append(notes, "Everything happened within "+howLong(r.Timeline.Step)+", so there are no charts over time.")
	}
	return notes
}

// exposure returns what requests without a recorded outcome may cost.
func exposure(e *report.Exposure, what string) []string {
	if e.Requests == 0 {
		return nil
	}
	note := fmt.Sprintf("%s %s up to $%s, which is not included here", ui.Number(e.Requests, "request"), what, e.MayCost)
	if e.Unknown > 0 {
		note += " (" + ui.Grouped(e.Unknown) + " of unknown price)"
	}
	return []string{note + "."}
}

// charts returns the charts for which there is enough data.
func charts(r *report.Report) []*chart {
	var charts []*chart
	if r.Timeline.Steps() > 1 {
		columns := timeColumns(r)
		if r.Total.Cost != nil && *r.Total.Cost > 0 {
			charts = append(charts, spendChart(r, &columns))
		}
		charts = append(charts, throughputChart(r, &columns))
	}
	const aDistribution = 5
	if timed(r) >= aDistribution {
		charts = append(charts, latencyChart(r))
	}
	return charts
}
