package ledger

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	var out bytes.Buffer
	r.writeFrame(&out)
	if r.Total.Results+r.Total.Failures > 0 {
		r.writeFigures(&out)
		r.writeErrors(&out)
	}
	_, err := w.Write(out.Bytes())
	return err
}

func (r *Report) writeFrame(out *bytes.Buffer) {
	const minute = "2006-01-02 15:04"
	fmt.Fprintf(out, "%s, %s, %s", counted(r.Total.Results, "result"), counted(r.Total.Failures, "failure"), counted(r.Runs, "run"))
	if !r.First.IsZero() {
		fmt.Fprintf(out, ", %s to %s", r.First.In(time.UTC).Format(minute), r.Last.In(time.UTC).Format(minute+" MST"))
	}
	out.WriteByte('\n')
	if r.Simulated {
		out.WriteString("all of it simulated\n")
	}
	if r.SimulatedLeftOut > 0 {
		fmt.Fprintf(out, "%s left out\n", counted(r.SimulatedLeftOut, "simulated record"))
	}
}

func (r *Report) writeFigures(out *bytes.Buffer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\nRESULTS\tFAILURES\tPROMPT\tCOMPLETION\tCOST\tP50\tP90\tP99\t\n")
	writeRow(table, &r.Total, "total")
	for i := range r.Models {
		writeRow(table, &r.Models[i], "model "+printable(r.Models[i].Name))
	}
	for i := range r.Providers {
		writeRow(table, &r.Providers[i], "provider "+printable(r.Providers[i].Name))
	}
	_ = table.Flush() // to memory, which does not fail
	if r.Total.UnknownCost > 0 {
		fmt.Fprintf(out, "\n* and %s whose cost is not known\n", grouped(r.Total.UnknownCost))
	}
}

// writeRow leaves the name to the end of the line, so that the figures before it line up to the right.
func writeRow(table io.Writer, row *ReportRow, name string) {
	cost := "?"
	if row.Cost != nil {
		cost = "$" + row.Cost.String()
	}
	if row.UnknownCost > 0 {
		cost += "*"
	}
	fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t  %s\n",
		grouped(row.Results), grouped(row.Failures), grouped(row.PromptTokens), grouped(row.CompletionTokens), cost,
		milliseconds(row.Latency.P50), milliseconds(row.Latency.P90), milliseconds(row.Latency.P99), name)
}

func (r *Report) writeErrors(out *bytes.Buffer) {
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
		fmt.Fprintf(table, "%s\t%s\t  %s\n", grouped(e.Count), status, strings.TrimSpace(printable(e.Type+" "+e.Code)))
	}
	_ = table.Flush() // to memory, which does not fail
}

func milliseconds(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).String()
}

func counted(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return grouped(n) + " " + what
}

// grouped writes a count as 1,234,567.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// printable is Printable for a name, which may be missing.
func printable(name string) string {
	if name == "" {
		return "(not named)"
	}
	return Printable(name)
}

// Printable keeps what a provider says from moving the cursor of a terminal, or worse.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
