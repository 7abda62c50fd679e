package stream

import (
	"time"

	"llmpipe/ledger"
	"llmpipe/limiter"
)

// status is a run at one moment: a line for people, an object for programs. Its total counts what lies in the inputs; what stands between
// in and the total has not been read yet.
type status struct {
	Time  time.Time `json:"time"`
	State string    `json:"state,omitempty"` // what the run waits for, or who stands in for the provider, in words
	Summary
	Done      int64          `json:"done"`                // answered or failed
	Total     int64          `json:"total,omitempty"`     // records in the inputs, where that can be told
	Estimated bool           `json:"estimated,omitempty"` // the total is an estimate
	PerSecond float64        `json:"per_second"`          // answered or failed, not counting those that were recorded before
	ETA       float64        `json:"eta_s,omitempty"`     // seconds
	InFlight  int            `json:"in_flight"`
	Allowed   int            `json:"concurrency"` // how many may be in flight now
	Sleeping  int            `json:"sleeping"`    // records that wait to be asked again
	RPM       int            `json:"rpm"`         // requests in the last minute
	RPMLimit  int            `json:"rpm_limit,omitempty"`
	TPM       int            `json:"tpm"` // tokens in the last minute
	TPMLimit  int            `json:"tpm_limit,omitempty"`
	Spent     ledger.Dollars `json:"spent_usd"`            // of the budget; without one, by this run
	Budget    ledger.Dollars `json:"budget_usd,omitempty"` // 0: none
}

// String is the whole status in one line.
func (s *status) String() string { return s.line(anyWidth) }

// status is the run at this moment.
func (r *run) status() *status {
	now := time.Now()
	l := r.router.current()
	p := l.pace.Stats()
	s := &status{
		Time: now.UTC().Truncate(time.Millisecond), Summary: r.summary(), Sleeping: r.sleepers.len(),
		InFlight: p.InFlight, Allowed: p.Allowed, RPM: p.RPMUsed, RPMLimit: p.RPMLimit, TPM: p.TPMUsed, TPMLimit: p.TPMLimit,
	}
	s.Done = s.OK + s.Failed
	if r.allRead.Load() {
		s.Total = s.In
	} else if total, ok := r.expected(); ok {
		s.Total, s.Estimated = max(total, s.In), true
	}
	s.PerSecond = r.speed.at(now, s.Done-s.Skipped)
	if s.PerSecond > 0 && s.Total > 0 {
		s.ETA = float64(s.Total-s.Done) / s.PerSecond
	}
	s.Spent, s.Budget = r.money.standing()
	if s.State = r.waitingFor(&p, now); s.State != "" {
		s.ETA = 0
	} else if l.index > 0 {
		s.State = "by " + l.name
	} else {
		s.State = r.batches.progress()
	}
	return s
}

// waitingFor says in words what holds the run up as a whole; empty when it is under way.
func (r *run) waitingFor(p *limiter.Stats, now time.Time) string {
	switch {
	case r.stop.ending():
		return "stopping"
	case p.Open && p.NextProbe.After(now):
		return "provider down, next probe in " + waitOf(p.NextProbe.Sub(now))
	case p.Open:
		return "provider down, probing"
	case !p.PausedUntil.IsZero():
		return "paused " + waitOf(p.PausedUntil.Sub(now)) + " by the provider"
	case p.InFlight == 0 && r.gate.waiting() == 0 && r.source.waits():
		return "waiting for input"
	}
	return ""
}

// waitOf is what is left of a wait, for people: never less than a second.
func waitOf(d time.Duration) string { return duration((d + time.Second - 1).Truncate(time.Second)) }
