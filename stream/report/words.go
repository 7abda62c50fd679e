package report

import (
	"fmt"
	"strings"

	"llmpipe/ledger/report"
	"llmpipe/stream/ui"
)

// answered returns how many records are answered, and how many of these had failed at an earlier
// try.
func answered(r *report.Records) string {
	text := ui.Grouped(r.Answered) + " answered"
	switch {
	case r.Later > 0 && r.Later == r.Answered:
		text += ", all on a later try"
	case r.Later > 0:
		text += ", " + ui.Grouped(r.Later) + " of them on a later try"
	}
	return text
}

// flagWords are the words for flags.
var flagWords = map[string]string{
	"length": "truncated", "content_filter": "withheld by a filter", "paused": "paused", "empty": "empty",
	"finish_reason": "with an unknown finish reason",
}

// flagged returns what is wrong with answers.
func flagged(r *report.Records) (notes []string) {
	for _, f := range r.Flagged {
		notes = append(notes, ui.Grouped(f.Count)+" "+flagWords[f.Flag])
	}
	return notes
}

// unusual returns what else there is to know about the answers.
func unusual(r *report.Records) (notes []string) {
	for _, of := range []struct {
		n    int64
		what string
	}{
		{r.Same, "answered as duplicates"}, {r.Downgraded, "by the cheaper model"}, {r.Attached, "with files"},
		{r.Batch, "by batch"}, {r.Partial, "with charges of unknown price"},
	} {
		if of.n > 0 {
			notes = append(notes, ui.Grouped(of.n)+" "+of.what)
		}
	}
	return notes
}

// attempts returns how many attempts there were, by outcome.
func attempts(a *report.Attempts) (notes []string) {
	notes = append(notes, ui.Number(a.Answers, "answer"))
	if a.Failures > 0 {
		notes = append(notes, ui.Number(a.Failures, "failure"))
	}
	if a.Retries > 0 {
		notes = append(notes, retries(a.Retries))
	}
	if a.Limited > 0 {
		times := ui.Number(a.Limited, "time") + " 429"
		if a.UnknownRuns > 0 {
			times = "at least " + times
		}
		notes = append(notes, times)
	}
	return notes
}

func retries(n int64) string {
	if n == 1 {
		return "1 retry"
	}
	return ui.Grouped(n) + " retries"
}

// budget returns what is left of a budget, and of the day's budget.
func budget(b *report.Budget) (whole, day string) {
	if b.Total != nil {
		whole = fmt.Sprintf("%s of %s left", ui.Amount(b.Left), ui.Amount(b.Total))
	}
	if b.Daily != nil {
		day = fmt.Sprintf("%s of %s left until 00:00 UTC", ui.Amount(b.LeftToday), ui.Amount(b.Daily))
	}
	return whole, day
}

// exits are the words for a run's exit status. The numbers that are added to 128 are those of
// signals in signal.h.
var exits = map[int]string{
	0: "done", 1: "failed", 3: "done, some failed", 4: "out of budget", 75: "not finished",
	128 + 1: "hung up", 128 + 2: "interrupted", 128 + 13: "output closed", 128 + 15: "terminated",
}

// ended returns how a run ended.
func ended(r *report.Run) string {
	switch {
	case r.UnderWay:
		return "under way"
	case r.Exit == nil && r.Earlier:
		return "not recorded"
	case r.Exit == nil:
		return "no end recorded (killed?)"
	case exits[*r.Exit] != "":
		return exits[*r.Exit]
	}
	return fmt.Sprintf("exit status %d", *r.Exit)
}

// misfits returns how many answers did not fit their schema, and what asking again brought.
func misfits(s *report.Schema) string {
	text := ui.Number(s.Misfits, "answer") + " did not fit the schema"
	if s.Reasked == 0 {
		return text
	}
	text += "; asking again brought " + ui.Number(s.Reasked, "answer")
	if s.Cost == nil {
		return text + " of unknown cost"
	}
	return text + ", for " + ui.Amount(s.Cost)
}

// failure returns the kind of an open failure in a few words.
func failure(f *report.OpenFailure) string {
	text := strings.TrimSpace(f.Type + " " + f.Code)
	if f.Status > 0 {
		text += fmt.Sprintf(" (%d)", f.Status)
	}
	return text
}

// askAgain says how to ask the records without an answer again.
const askAgain = "run the same command again: it sends only these"

// whichOpen lists all of the records without an answer.
const whichOpen = "llmpipe report --json | jq -r '.open[].id'"
