package estimate

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"llmpipe/stream/ui"
)

// WriteJSON writes the estimate for scripts, on one line.
func (e *Estimate) WriteJSON(w io.Writer) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("estimate: %w", err)
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// WriteTable writes the estimate for people.
func (e *Estimate) WriteTable(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	simulated := ui.Simulated(e.Simulated)
	line("prompts", "%d", e.Prompts)
	if e.Invalid > 0 {
		line("", "and %s that cannot be sent", ui.Number(e.Invalid, "line"))
	}
	if e.Prompts == 0 {
		return out.Flush()
	}
	line("prompt tokens", "%d", e.PromptTokens)
	line("completion tokens", "%d (%s)", e.CompletionTokens, e.basis())
	if s := e.Sample; s != nil {
		line("sample", "%d sent, %d failed, %d flagged", s.N, s.Failed, s.Flagged)
		line("", "output p50 %d, p95 %d tokens; %d of reasoning in all", s.OutputP50, s.OutputP95, s.ReasoningTokens)
		if s.CostPerRecord != nil {
			line("", "%s a record%s", ui.USD(int64(*s.CostPerRecord)), simulated)
		}
	}
	cost := "cost"
	if e.Mode == "batch" {
		cost += " by batch"
	}
	switch {
	case len(e.ByModel) > 1:
		cost += ", each with its own model"
	case e.Model != "":
		cost += " with " + ui.Printable(e.Model)
	}
	line(cost, "%s%s", ui.Amount(e.Total), simulated)
	if i := e.Interval; i != nil {
		line("", "%s to %s in 95 of 100 cases%s", ui.USD(int64(i.Low)), ui.USD(int64(i.High)), simulated)
	}
	if e.Hours != nil {
		line("time", "%s, bound by %s", hours(*e.Hours), e.Bound)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	if len(e.ByModel) > 1 {
		fmt.Fprint(table, "\nPROMPTS\tPROMPT TOKENS\tCOMPLETION TOKENS\tCOST\t  MODEL\n")
		for i := range e.ByModel {
			m := &e.ByModel[i]
			fmt.Fprintf(table, "%d\t%d\t%d\t%s\t  %s\n", m.Prompts, m.PromptTokens, m.CompletionTokens, ui.Amount(m.Cost),
				ui.Printable(strings.TrimSpace(m.Model+" "+m.Tier)))
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprint(w, "\nAll with one model:")
	}
	fmt.Fprint(table, "\nCOST\tBATCH\t  MODEL\n")
	for _, m := range e.Models {
		fmt.Fprintf(table, "%s\t%s\t  %s\n", ui.Amount(m.Cost), ui.Amount(m.Batch), ui.Printable(m.Model))
	}
	if err := table.Flush(); err != nil || !e.Simulated {
		return err
	}
	_, err := fmt.Fprintln(w, "\nsimulated: nobody bills this; the prices are those of the models' own providers")
	return err
}

func (e *Estimate) basis() string {
	switch e.Basis {
	case "max_tokens":
		return "at most: every prompt has max_tokens"
	case noOutput:
		return e.Basis
	case "a guess":
		return strconv.Itoa(guessedOutput) + " per prompt without max_tokens, a guess: --sample 100 measures it"
	}
	return "by " + e.Basis
}

func hours(h float64) string {
	switch {
	case h < 1.0/60:
		return fmt.Sprintf("%.0f s", h*3600)
	case h < 1:
		return fmt.Sprintf("%.0f min", h*60)
	}
	return fmt.Sprintf("%.1f h", h)
}
