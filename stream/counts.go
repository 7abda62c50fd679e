package stream

import (
	"sync/atomic"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
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

	elsewhere atomic.Int64 // records that are in batches which this run does not collect
	unsent    atomic.Int64 // records that were read, and have no answer
}

// attempt counts one reply.
func (c *counts) attempt(r *provider.Reply) {
	if r.Status == 429 {
		c.s429.Add(1)
	}
}

// answered counts a new answer.
func (c *counts) answered(t *Task) {
	c.prompt.Add(t.Reply.Answer.Usage.Prompt)
	c.output.Add(t.Reply.Answer.Usage.Completion)
	c.cost.Add(t.Cost)
	if !t.CostKnown {
		c.unknown.Add(1)
	}
}

// summary is what the run has done by now, but for when the money went to a cheaper model.
func (c *counts) summary(start time.Time) ui.Summary {
	s := ui.Summary{
		In: c.in.Load(), OK: c.ok.Load(), Failed: c.failed.Load(), Skipped: c.skipped.Load(), Flagged: c.flagged.Load(),
		Retries: c.retries.Load(), Status429: c.s429.Load(), PromptTokens: c.prompt.Load(), CompletionTokens: c.output.Load(),
		ElapsedS: float64(time.Since(start).Milliseconds()) / 1000,
	}
	s.Unsent = s.In - s.OK - s.Failed
	if c.unknown.Load() == 0 {
		cost := price.Dollars(c.cost.Load())
		s.CostUSD = &cost
	}
	return s
}
