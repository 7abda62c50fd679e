package ui

import (
	"fmt"
	"strings"

	"llmpipe/ledger/price"
)

// Summary is what a run did. In = OK + Failed + Unsent.
type Summary struct {
	In               int64          `json:"in"`                // records selected
	OK               int64          `json:"ok"`                // answered, now or before
	Failed           int64          `json:"failed"`            // got an error line
	Skipped          int64          `json:"skipped"`           // of OK: recorded before, not asked again
	Unsent           int64          `json:"unsent"`            // read, but not answered; no line
	Same             int64          `json:"same,omitempty"`    // of OK: with the answer to another record's equal request
	Flagged          int64          `json:"flagged"`           // of OK: cut, withheld, empty, or of unknown end
	Retries          int64          `json:"retries"`           // attempts after the first, all records together
	Reasked          int64          `json:"reasked,omitempty"` // further turns, since answers did not fit the schema
	Status429        int64          `json:"status_429"`        // answers with that status
	PromptTokens     int64          `json:"prompt_tokens"`     // of this run
	CompletionTokens int64          `json:"completion_tokens"` // of this run
	CostUSD          *price.Dollars `json:"cost_usd"`          // of this run; null if a price is unknown
	// Misfits counts those of Failed whose answer does not fit the schema, by the place of its first
	// violation.
	Misfits      map[string]int64 `json:"schema_failures,omitempty"`
	DowngradedAt int64            `json:"downgraded_at,omitempty"` // line of the first record that went to the cheaper model
	ElapsedS     float64          `json:"elapsed_s"`               // seconds
	// Rehearsal says that only the simulated provider is asked. Simulated is how many of OK have
	// its answers, and SimulatedUSD is their share of CostUSD, which is never billed.
	Rehearsal    bool          `json:"rehearsal,omitempty"`
	Simulated    int64         `json:"simulated,omitempty"`
	SimulatedUSD price.Dollars `json:"simulated_usd,omitempty"`
}

// summaryWidth is how long a summary on one line may be: with the program's name before it, it fits
// into 80 columns.
const summaryWidth = 80 - len("llmpipe: ")

// String returns the summary for people: the outcome of the records and what the run took. It takes
// two lines if one would be too long.
func (s Summary) String() string {
	records, effort := s.records(), s.effort()
	if len(records)+len("; ")+len(effort) <= summaryWidth {
		return records + "; " + effort
	}
	return records + "\n" + effort
}

// records returns the outcome of the records.
func (s Summary) records() string {
	var notes []string
	if s.Skipped > 0 {
		notes = append(notes, Grouped(s.Skipped)+" recorded before")
	}
	if s.Same > 0 {
		notes = append(notes, Number(s.Same, "duplicate"))
	}
	if s.Simulated > 0 && !s.Rehearsal {
		notes = append(notes, Grouped(s.Simulated)+" simulated")
	}
	if s.Flagged > 0 {
		notes = append(notes, Grouped(s.Flagged)+" flagged")
	}
	ok := Grouped(s.OK) + " ok"
	if len(notes) > 0 {
		ok += " (" + strings.Join(notes, ", ") + ")"
	}
	text := Grouped(s.In) + " in: " + ok + ", " + Grouped(s.Failed) + " failed"
	if n := s.misfits(); n > 0 {
		text += " (" + Grouped(n) + " did not fit the schema)"
	}
	if s.Unsent > 0 {
		text += ", " + Grouped(s.Unsent) + " unsent"
	}
	return text
}

// misfits returns how many records failed by the schema, in all places together.
func (s *Summary) misfits() (n int64) {
	for _, at := range s.Misfits {
		n += at
	}
	return n
}

func retries(n int64) string {
	if n == 1 {
		return "1 retry"
	}
	return Grouped(n) + " retries"
}

// effort returns what the run took: tokens, money, time, and what went wrong on the way.
func (s Summary) effort() string {
	text := Grouped(s.PromptTokens) + " + " + Grouped(s.CompletionTokens) + " tokens"
	switch {
	case s.Rehearsal && s.CostUSD != nil:
		text += ", " + USD(int64(*s.CostUSD)) + Simulated(true)
	case s.Rehearsal:
		text += Simulated(true)
	case s.CostUSD != nil:
		text += ", " + Sum(int64(*s.CostUSD), int64(s.SimulatedUSD))
	}
	text += " in " + elapsed(s.ElapsedS)
	if asked := s.OK + s.Failed - s.Skipped - s.Same; asked > 0 && s.ElapsedS >= 1 {
		text += ", " + perTime(float64(asked)/s.ElapsedS)
	}
	if s.Retries > 0 {
		text += ", " + retries(s.Retries)
	}
	if s.Reasked > 0 {
		text += ", " + Grouped(s.Reasked) + " asked again for the schema"
	}
	if s.Status429 > 0 {
		text += ", " + Number(s.Status429, "time") + " 429"
	}
	if s.DowngradedAt > 0 {
		text += fmt.Sprintf("; by the cheaper model from line %d on", s.DowngradedAt)
	}
	return text
}
