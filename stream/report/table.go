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

// How many entries of a list are shown on a terminal.
const (
	shownOpen = 10
	shownRuns = 10
)

// writeReport writes a report for people.
func writeReport(w io.Writer, r *report.Report) error {
	var out bytes.Buffer
	writeFrame(&out, r)
	if records(r) > 0 {
		writeFigures(&out, r)
		writeErrors(&out, r)
		writeSchema(&out, r.Schema)
		writeOpen(&out, r)
		writeRuns(&out, r)
	}
	if r.Kept > 0 {
		fmt.Fprintf(&out, "\nattempts whose cost was not reported may have cost up to $%s\n", r.Kept)
	}
	writeExposure(&out, &r.Lost, "in flight when their runs were killed may have cost")
	writeExposure(&out, &r.AtRisk, "in flight may cost")
	_, err := w.Write(out.Bytes())
	return err
}

// writeFrame writes how many records were answered, how many attempts that took, and what is left
// of the budgets.
func writeFrame(out *bytes.Buffer, r *report.Report) {
	if r.Simulated {
		out.WriteString("everything here is simulated: no provider was asked, and nothing was paid\n")
	}
	if r.SimulatedLeftOut > 0 {
		fmt.Fprintf(out, "%s left out\n", ui.Number(r.SimulatedLeftOut, "simulated record"))
	}
	lines := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name string, notes ...string) {
		if len(notes) > 0 {
			fmt.Fprintf(lines, "%s\t%s\n", name, strings.Join(notes, ", "))
		}
	}
	line("records", fmt.Sprintf("%s: %s; %s failed", ui.Grouped(r.Records.Total), answered(&r.Records), ui.Grouped(r.Records.Failed)))
	if ids := r.Records.IDs; ids < records(r) {
		line("", "only "+ui.Number(ids, "id")+": some were sent with different requests under one id")
	}
	line("flagged", flagged(&r.Records)...)
	line("answers", unusual(&r.Records)...)
	if records(r) > 0 {
		line("attempts", attempts(&r.Attempts)...)
	}
	if b := r.Batches; b != nil && b.Pending > 0 {
		line("batches", fmt.Sprintf("%s not collected yet, with $%s set aside", ui.Grouped(b.Pending), b.SetAside))
	}
	for i := range r.Budgets {
		whole, day := budget(&r.Budgets[i])
		of := ""
		if len(r.Budgets) > 1 {
			of = ui.Printable(r.Budgets[i].Ledger) + ": "
		}
		if whole != "" {
			line("budget", of+whole)
		}
		if day != "" {
			line("daily", of+day)
		}
	}
	time := []string{ui.Number(r.Runs, "run")}
	if !r.First.IsZero() {
		const minute = "2006-01-02 15:04"
		time = append(time, r.First.UTC().Format(minute)+" to "+r.Last.UTC().Format(minute+" MST"))
	}
	line("time", time...)
	_ = lines.Flush() // to memory, which does not fail
}

// writeFigures writes a row for each model and, if there are several, for each provider.
func writeFigures(out *bytes.Buffer, r *report.Report) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\nANSWERED\tFAILED\tPROMPT\tCOMPLETION\t%s\tP50\tP90\tP99\t\n", costs(r))
	named := ""
	if len(r.Providers) > 1 {
		named = "model "
	}
	for i := range r.Models {
		writeRow(table, &r.Models[i], named+shownName(r.Models[i].Name))
	}
	for i := range r.Providers {
		if len(r.Providers) > 1 {
			writeRow(table, &r.Providers[i], "provider "+shownName(r.Providers[i].Name))
		}
	}
	if len(r.Models) > 1 {
		writeRow(table, &r.Total, "all")
	}
	_ = table.Flush() // to memory, which does not fail
	if r.Total.UnknownCost > 0 {
		fmt.Fprintf(out, "\n* and %s of unknown cost\n", ui.Number(r.Total.UnknownCost, "answer"))
	}
}

// costs returns the head of a column of money.
func costs(r *report.Report) string { return "COST" + strings.ToUpper(ui.Simulated(r.Simulated)) }

// writeExposure writes what requests without a recorded outcome may cost.
func writeExposure(out io.Writer, e *report.Exposure, what string) {
	if e.Requests == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s %s up to $%s\n", ui.Number(e.Requests, "request"), what, e.MayCost)
	if e.Unknown > 0 {
		fmt.Fprintf(out, "(%s of unknown price)\n", ui.Grouped(e.Unknown))
	}
}

// writeRow puts the name at the end of the line, so that the figures before it are aligned to the
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
		milliseconds(row, row.Latency.P50), milliseconds(row, row.Latency.P90), milliseconds(row, row.Latency.P99), name)
}

// writeErrors writes how many failures of each kind there were, and how many records are still open
// with that as their last failure.
func writeErrors(out *bytes.Buffer, r *report.Report) {
	if len(r.Errors) == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\nFAILURES\tSTILL OPEN\tSTATUS\t\n")
	for _, e := range r.Errors {
		status := "-"
		if e.Status > 0 {
			status = strconv.Itoa(e.Status)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t  %s\n", ui.Grouped(e.Count), ui.Grouped(e.Open), status, strings.TrimSpace(shownName(e.Type+" "+e.Code)))
	}
	_ = table.Flush() // to memory, which does not fail
}

// writeSchema writes how many answers did not fit their schema, and at which places.
func writeSchema(out *bytes.Buffer, s *report.Schema) {
	if s == nil {
		return
	}
	fmt.Fprintf(out, "\n%s\n", misfits(s))
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

// writeOpen names the first of the records without an answer.
func writeOpen(out *bytes.Buffer, r *report.Report) {
	if r.Records.Failed == 0 {
		return
	}
	out.WriteString("\nNO ANSWER\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	shown := r.Open[:min(len(r.Open), shownOpen)]
	for i := range shown {
		fmt.Fprintf(table, "%s\t%s\n", shownName(shown[i].ID), shownName(failure(&shown[i])))
	}
	_ = table.Flush() // to memory, which does not fail
	if more := r.Records.Failed - int64(len(shown)); more > 0 {
		fmt.Fprintf(out, "and %s more: %s\n", ui.Grouped(more), whichOpen)
	}
	fmt.Fprintf(out, "(%s)\n", askAgain)
}

// writeRuns writes what the last runs did.
func writeRuns(out *bytes.Buffer, r *report.Report) {
	shown := r.LastRuns[max(len(r.LastRuns)-shownRuns, 0):]
	if len(shown) == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\nRUN\tTOOK\tANSWERED\tFAILED\tRECORDED\tRETRIES\t429\t%s\t\n", costs(r))
	for i := range shown {
		run, c := &shown[i], &shown[i].Counts
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t  %s\n",
			run.Started.UTC().Format("2006-01-02 15:04:05"), took(run), ui.Grouped(c.Answered), ui.Grouped(c.Failed), ui.Grouped(c.Skipped),
			ui.Grouped(c.Retries), limited(run), ui.USD(int64(c.Cost)), modeAnd(run)+ended(run))
	}
	_ = table.Flush() // to memory, which does not fail
	if earlier := r.Runs - int64(len(shown)); earlier > 0 {
		fmt.Fprintf(out, "and %s\n", ui.Number(earlier, "earlier run"))
	}
}

// took returns how long a run took.
func took(r *report.Run) string {
	return strings.ReplaceAll(howLong(r.Ended.Sub(r.Started)), "\u00a0", " ")
}

// limited returns how often a run met the status 429, or "?" if the run did not record it.
func limited(r *report.Run) string {
	if r.Exit == nil {
		return "?"
	}
	return ui.Grouped(r.Counts.Limited)
}

// modeAnd returns the mode and a comma if the mode is not the usual one.
func modeAnd(r *report.Run) string {
	if r.Mode == "" || r.Mode == "realtime" {
		return ""
	}
	return ui.Printable(r.Mode) + ", "
}

// milliseconds formats one of a row's latencies.
func milliseconds(row *report.Row, ms int64) string {
	if row.Latency == (report.Latencies{}) {
		return "-" // no answer was waited for
	}
	return (time.Duration(ms) * time.Millisecond).String()
}

// shownName returns how a name that may be missing is shown.
func shownName(name string) string {
	if name == "" {
		return "(not named)"
	}
	return ui.Printable(name)
}
