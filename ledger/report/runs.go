package report

import (
	"cmp"
	"slices"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// Run is a run of the program that wrote to a ledger.
type Run struct {
	ID      string    `json:"id"`
	Started time.Time `json:"started"`
	// Ended is the time at which the run said how it ended, or else the time of its last line.
	Ended time.Time `json:"ended"`
	// Exit is the status that it ended with. It is nil if the run never said: it was killed, is still
	// going, or is of an earlier version.
	Exit     *int      `json:"exit"`
	UnderWay bool      `json:"under_way,omitempty"` // it has something at risk, and its process lives
	Earlier  bool      `json:"earlier_version,omitempty"`
	Mode     string    `json:"mode,omitempty"`
	Model    string    `json:"model,omitempty"` // the one asked for
	Provider string    `json:"provider,omitempty"`
	Counts   RunCounts `json:"counts"`

	simulated bool
	last      time.Time // of its lines
}

// RunCounts is what a run did. If the run did not write its own counts, Skipped, Unsent and Limited
// are 0, and the others are counted from its lines.
type RunCounts struct {
	Answered int64         `json:"answered"` // records that it asked
	Failed   int64         `json:"failed"`
	Skipped  int64         `json:"skipped"` // records whose answer was recorded before
	Unsent   int64         `json:"unsent"`  // records that were read, and not answered
	Retries  int64         `json:"retries"`
	Limited  int64         `json:"status_429"` // answers with that HTTP status
	Cost     price.Dollars `json:"cost_usd"`   // as far as the costs are known
}

// runs are the latest runs of some ledgers, by their ids.
type runs struct {
	byID   map[string]*Run
	order  []*Run
	latest *Run // the run line that was read last: for lines that name no run
	named  *Run // the run that a line named last
}

// mostRuns limits the runs that are listed one by one.
const mostRuns = 1000

// add notes the line of a run.
func (r *runs) add(info *ledger.RunInfo) {
	if r.byID == nil {
		r.byID = make(map[string]*Run)
	}
	if r.latest = r.byID[info.ID]; r.latest != nil {
		return // ledgers were put together that have it both
	}
	if len(r.order) >= mostRuns {
		delete(r.byID, r.order[0].ID)
		r.order = slices.Delete(r.order, 0, 1)
	}
	r.latest = &Run{
		ID: info.ID, Started: info.Time, Ended: info.Time, Earlier: info.Mode == "", Mode: info.Mode, Model: info.Model,
		Provider: info.Provider, simulated: info.Simulated, last: info.Time,
	}
	r.byID[info.ID], r.order = r.latest, append(r.order, r.latest)
}

// of returns the run that wrote a record, or nil if that is not known.
func (r *runs) of(id string) *Run {
	switch {
	case id == "":
		return r.latest
	case r.named == nil || r.named.ID != id:
		if run := r.byID[id]; run != nil {
			r.named = run
		} else {
			return r.latest
		}
	}
	return r.named
}

// wrote notes that a run wrote a line of a record.
func (r *runs) wrote(rec *ledger.Record, answer bool) {
	run := r.of(rec.Run)
	if run == nil {
		return
	}
	run.simulated = run.simulated || rec.Simulated
	if rec.Time.After(run.last) {
		run.last = rec.Time
	}
	c := &run.Counts
	if answer {
		c.Answered++
	} else {
		c.Failed++
	}
	if rec.CostKnown {
		c.Cost += price.Dollars(rec.CostNanos)
	}
	if run.Exit == nil {
		c.Retries += int64(max(rec.Attempts-1, 0))
	}
}

// end notes how a run ended.
func (r *runs) end(e *ledger.RunEnd) {
	run := r.byID[e.Run]
	if run == nil {
		return
	}
	exit := e.Exit
	run.Exit, run.Ended, run.simulated = &exit, e.Time, run.simulated || e.Simulated
	run.Counts = RunCounts{
		Answered: e.OK - e.Skipped, Failed: e.Failed, Skipped: e.Skipped, Unsent: e.Unsent, Retries: e.Retries, Limited: e.Status429,
		Cost: run.Counts.Cost,
	}
}

// living marks the runs of a ledger that are still going.
func (r *runs) living(path string) {
	for _, run := range r.order {
		if run.Exit == nil && ledger.Lives(path, run.ID) {
			run.UnderWay = true
		}
	}
}

// list returns the runs to list on one side, real or simulated, earliest first.
func (r *runs) list(simulated bool) []Run {
	list := []Run{}
	for _, run := range r.order {
		if run.simulated == simulated {
			if run.Exit == nil {
				run.Ended = run.last
			}
			list = append(list, *run)
		}
	}
	slices.SortStableFunc(list, func(a, b Run) int { return cmp.Compare(a.Started.UnixMilli(), b.Started.UnixMilli()) })
	return list
}

// Attempts counts what was asked, every time.
type Attempts struct {
	Answers  int64 `json:"answers"`  // that were paid for, also those that did not fit a schema
	Failures int64 `json:"failures"` // of records, each time that one failed
	Retries  int64 `json:"retries"`  // within runs
	Limited  int64 `json:"status_429"`
	// UnknownRuns counts the runs that did not say how many responses had status 429, nor how many
	// retries they made in all.
	UnknownRuns int64 `json:"runs_unknown"`
}

// addRuns adds what the runs say.
func (a *Attempts) addRuns(list []Run) {
	for i := range list {
		a.Retries += list[i].Counts.Retries
		a.Limited += list[i].Counts.Limited
		if list[i].Exit == nil {
			a.UnknownRuns++
		}
	}
}
