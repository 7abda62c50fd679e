package report

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"llmpipe/ledger/report"
	"llmpipe/stream/ui"
)

// writeReport writes a report for people.
func writeReport(w io.Writer, r *report.Report) error {
	var out bytes.Buffer
	writeFrame(&out, r)
	if r.Total.Results+r.Total.Failures > 0 {
		writeFigures(&out, r)
		writeErrors(&out, r)
		writeSchema(&out, r.Schema)
	}
	if r.Kept > 0 {
		fmt.Fprintf(&out, "\nattempts whose cost nobody said may have cost $%s at most\n", r.Kept)
	}
	writeExposure(&out, &r.Lost, "in flight when their runs were killed may have cost")
	writeExposure(&out, &r.AtRisk, "in flight may cost")
	_, err := w.Write(out.Bytes())
	return err
}

func writeFrame(out *bytes.Buffer, r *report.Report) {
	const minute = "2006-01-02 15:04"
	fmt.Fprintf(out, "%s, %s, %s", ui.Number(r.Total.Results, "result"), ui.Number(r.Total.Failures, "failure"), ui.Number(r.Runs, "run"))
	if !r.First.IsZero() {
		fmt.Fprintf(out, ", %s to %s", r.First.In(time.UTC).Format(minute), r.Last.In(time.UTC).Format(minute+" MST"))
	}
	out.WriteByte('\n')
	if r.Simulated {
		out.WriteString("all of it simulated\n")
	}
	if r.SimulatedLeftOut > 0 {
		fmt.Fprintf(out, "%s left out\n", ui.Number(r.SimulatedLeftOut, "simulated record"))
	}
}

func writeFigures(out *bytes.Buffer, r *report.Report) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\nRESULTS\tFAILURES\tPROMPT\tCOMPLETION\tCOST\tP50\tP90\tP99\t\n")
	writeRow(table, &r.Total, "total")
	for i := range r.Models {
		writeRow(table, &r.Models[i], "model "+shownName(r.Models[i].Name))
	}
	for i := range r.Providers {
		writeRow(table, &r.Providers[i], "provider "+shownName(r.Providers[i].Name))
	}
	_ = table.Flush() // to memory, which does not fail
	if r.Total.UnknownCost > 0 {
		fmt.Fprintf(out, "\n* and %s whose cost is not known\n", ui.Grouped(r.Total.UnknownCost))
	}
}

// writeExposure says what requests whose outcome is not recorded may cost.
func writeExposure(out io.Writer, e *report.Exposure, what string) {
	if e.Requests == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s %s $%s at most\n", ui.Number(e.Requests, "request"), what, e.MayCost)
	if e.Unknown > 0 {
		fmt.Fprintf(out, "(of %s no price is known)\n", ui.Grouped(e.Unknown))
	}
}

// writeRow leaves the name to the end of the line, so that the figures before it line up to the
// right.
func writeRow(table io.Writer, row *report.Row, name string) {
	cost := "?"
	if row.Cost != nil {
		cost = "$" + row.Cost.String()
	}
	if row.UnknownCost > 0 {
		cost += "*"
	}
	fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t  %s\n",
		ui.Grouped(row.Results), ui.Grouped(row.Failures), ui.Grouped(row.PromptTokens), ui.Grouped(row.CompletionTokens), cost,
		milliseconds(row.Latency.P50), milliseconds(row.Latency.P90), milliseconds(row.Latency.P99), name)
}

func writeErrors(out *bytes.Buffer, r *report.Report) {
	if len(r.Errors) == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\nERRORS\tSTATUS\t\n")
	for _, e := range r.Errors {
		status := "-"
		if e.Status > 0 {
			status = strconv.Itoa(e.Status)
		}
		fmt.Fprintf(table, "%s\t%s\t  %s\n", ui.Grouped(e.Count), status, strings.TrimSpace(shownName(e.Type+" "+e.Code)))
	}
	_ = table.Flush() // to memory, which does not fail
}

// writeSchema says what became of answers that did not fit their schema.
func writeSchema(out *bytes.Buffer, s *report.Schema) {
	if s == nil {
		return
	}
	fmt.Fprintf(out, "\n%s did not fit the schema; %s to asking again cost $%s\n",
		ui.Number(s.Misfits, "answer"), ui.Number(s.Reasked, "answer"), s.Cost)
	if len(s.Failures) == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\nFAILED AT\t\n")
	for _, f := range s.Failures {
		fmt.Fprintf(table, "%s\t  %s\n", ui.Grouped(f.Count), shownName(f.Place))
	}
	_ = table.Flush() // to memory, which does not fail
}

func milliseconds(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).String()
}

// shownName is what a name that may be missing is shown as.
func shownName(name string) string {
	if name == "" {
		return "(not named)"
	}
	return ui.Printable(name)
}
