package flow

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// Counts are a run's numbers. Any stage may add to them.
type Counts struct {
	In      atomic.Int64
	_       [64]byte // one goroutine counts what stands above, others what stands below; they must not share a cache line
	OK      atomic.Int64
	Failed  atomic.Int64
	Skipped atomic.Int64
	Flagged atomic.Int64
	Same    atomic.Int64 // that have another record's answer

	Simulated atomic.Int64 // of OK, by the simulated provider
	Retries   atomic.Int64
	Reasked   atomic.Int64 // further turns, because answers did not fit their schema
	s429      atomic.Int64
	slowest   atomic.Int64 // answer, nanoseconds
	prompt    atomic.Int64 // tokens
	output    atomic.Int64 // tokens

	misfits misfits

	Held      atomic.Int64 // results that wait for those before them, with --ordered
	Elsewhere atomic.Int64 // records in batches that this run does not collect
	Unsent    atomic.Int64 // records that were read, and have no answer
}

// Attempt counts one reply.
func (c *Counts) Attempt(r *provider.Reply) {
	if r.Status == 429 {
		c.s429.Add(1)
	}
	if took := int64(r.Latency); r.Class == provider.OK {
		for slowest := c.slowest.Load(); took > slowest && !c.slowest.CompareAndSwap(slowest, took); slowest = c.slowest.Load() {
		}
	}
}

// Slowest is the longest time that an answer of this run took, 0 before the first.
func (c *Counts) Slowest() time.Duration { return time.Duration(c.slowest.Load()) }

// misfits counts failed records by the place where their answers do not fit.
type misfits struct {
	mu sync.Mutex
	at map[string]int64
}

// mostPlaces bounds the places that are told apart: a model may invent new names without end.
const mostPlaces = 100

// Misfit counts a record that failed because its answer does not fit at a place.
func (c *Counts) Misfit(place string) {
	m := &c.misfits
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at == nil {
		m.at = make(map[string]int64)
	}
	if _, known := m.at[place]; !known && len(m.at) >= mostPlaces {
		place = "elsewhere"
	}
	m.at[place]++
}

func (m *misfits) clone() map[string]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.at)
}

// Answered counts a new answer.
func (c *Counts) Answered(t *Task) {
	c.prompt.Add(t.Reply.Answer.Usage.Prompt)
	c.output.Add(t.Reply.Answer.Usage.Completion)
}

// Summary returns what the run has done so far, without its cost, which the account knows.
func (c *Counts) Summary(start time.Time) ui.Summary {
	s := ui.Summary{
		In: c.In.Load(), OK: c.OK.Load(), Failed: c.Failed.Load(), Skipped: c.Skipped.Load(), Flagged: c.Flagged.Load(), Same: c.Same.Load(),
		Retries: c.Retries.Load(), Status429: c.s429.Load(), PromptTokens: c.prompt.Load(), CompletionTokens: c.output.Load(),
		ElapsedS: float64(time.Since(start).Milliseconds()) / 1000,
	}
	s.Simulated = c.Simulated.Load()
	s.Reasked, s.Misfits = c.Reasked.Load(), c.misfits.clone()
	s.Unsent = s.In - s.OK - s.Failed
	return s
}
