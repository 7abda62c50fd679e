package stream

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/provider"
)

// counts are a run's numbers. Any stage may add to them.
type counts struct {
	in      atomic.Int64
	_       [64]byte // what is above is counted by one goroutine, what is below by others, which do not share a line of cache with it
	ok      atomic.Int64
	failed  atomic.Int64
	skipped atomic.Int64
	flagged atomic.Int64
	retries atomic.Int64
	s429    atomic.Int64
	prompt  atomic.Int64 // tokens
	output  atomic.Int64 // tokens
	cost    atomic.Int64 // billionths of a dollar
	unknown atomic.Int64 // answers whose cost is not known
}

// attempt counts one reply.
func (c *counts) attempt(r *provider.Reply) {
	if r.Status == 429 {
		c.s429.Add(1)
	}
}

// answered counts a new answer.
func (c *counts) answered(t *task) {
	c.prompt.Add(t.reply.Answer.Usage.Prompt)
	c.output.Add(t.reply.Answer.Usage.Completion)
	c.cost.Add(t.cost)
	if !t.costKnown {
		c.unknown.Add(1)
	}
}

// Summary is what a run did. In = OK + Failed + Unsent.
type Summary struct {
	In               int64           `json:"in"`                      // records selected
	OK               int64           `json:"ok"`                      // answered, now or before
	Failed           int64           `json:"failed"`                  // got an error line
	Skipped          int64           `json:"skipped"`                 // of OK: recorded before, not asked again
	Unsent           int64           `json:"unsent"`                  // read, but not answered; no line
	Flagged          int64           `json:"flagged"`                 // of OK: cut or empty
	Retries          int64           `json:"retries"`                 // attempts after the first, all records together
	Status429        int64           `json:"status_429"`              // answers with that status
	PromptTokens     int64           `json:"prompt_tokens"`           // of this run
	CompletionTokens int64           `json:"completion_tokens"`       // of this run
	CostUSD          *ledger.Dollars `json:"cost_usd"`                // of this run; null where a price is not known
	DowngradedAt     int64           `json:"downgraded_at,omitempty"` // line of the first record that went to the cheaper model
	ElapsedS         float64         `json:"elapsed_s"`               // seconds
}

func (r *run) summary() Summary {
	c := &r.counts
	s := Summary{
		In: c.in.Load(), OK: c.ok.Load(), Failed: c.failed.Load(), Skipped: c.skipped.Load(), Flagged: c.flagged.Load(),
		Retries: c.retries.Load(), Status429: c.s429.Load(), PromptTokens: c.prompt.Load(), CompletionTokens: c.output.Load(),
		ElapsedS: float64(time.Since(r.start).Milliseconds()) / 1000,
	}
	s.Unsent = s.In - s.OK - s.Failed
	if c.unknown.Load() == 0 {
		cost := ledger.Dollars(c.cost.Load())
		s.CostUSD = &cost
	}
	s.DowngradedAt = r.money.downgradedAt()
	return s
}

// summaryWidth is how long a summary may get before it takes two lines: with the program's name before it, what terminals used to hold.
const summaryWidth = 80 - len("llmpipe: ")

// String is the summary for people: what became of the records and what it took, in two lines where one would be long.
func (s Summary) String() string {
	records, effort := s.records(), s.effort()
	if len(records)+len("; ")+len(effort) <= summaryWidth {
		return records + "; " + effort
	}
	return records + "\n" + effort
}

// records is what became of the records.
func (s Summary) records() string {
	var notes []string
	if s.Skipped > 0 {
		notes = append(notes, grouped(s.Skipped)+" recorded before")
	}
	if s.Flagged > 0 {
		notes = append(notes, grouped(s.Flagged)+" flagged")
	}
	ok := grouped(s.OK) + " ok"
	if len(notes) > 0 {
		ok += " (" + strings.Join(notes, ", ") + ")"
	}
	text := grouped(s.In) + " in: " + ok + ", " + grouped(s.Failed) + " failed"
	if s.Unsent > 0 {
		text += ", " + grouped(s.Unsent) + " unsent"
	}
	return text
}

func retries(n int64) string {
	if n == 1 {
		return "1 retry"
	}
	return grouped(n) + " retries"
}

// effort is what the run took: tokens, money, time, and what went wrong on the way.
func (s Summary) effort() string {
	text := grouped(s.PromptTokens) + " + " + grouped(s.CompletionTokens) + " tokens"
	if s.CostUSD != nil {
		text += ", " + usd(int64(*s.CostUSD))
	}
	text += " in " + elapsed(s.ElapsedS)
	if asked := s.OK + s.Failed - s.Skipped; asked > 0 && s.ElapsedS >= 1 {
		text += ", " + perTime(float64(asked)/s.ElapsedS)
	}
	if s.Retries > 0 {
		text += ", " + retries(s.Retries)
	}
	if s.Status429 > 0 {
		text += ", " + number(s.Status429, "time") + " 429"
	}
	if s.DowngradedAt > 0 {
		text += fmt.Sprintf("; from line %d on by the cheaper model", s.DowngradedAt)
	}
	return text
}

// elapsed is a run's time for people, in tenths of a second while it is short.
func elapsed(seconds float64) string {
	if seconds < 60 {
		return fmt.Sprintf("%.1f s", seconds)
	}
	return duration(time.Duration(seconds * float64(time.Second)))
}
