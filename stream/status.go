package stream

import (
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/lane"
	"llmpipe/stream/ui"
)

// status is the run at this moment.
func (r *run) status() *ui.Status {
	now := time.Now()
	lanes := r.lanes.Current()
	p := lane.Sum(lanes)
	s := &ui.Status{
		Time: now.UTC().Truncate(time.Millisecond), Summary: r.summary(), Sleeping: r.lanes.Sleeping(),
		InFlight: p.InFlight, Allowed: p.Allowed, RPM: p.RPMUsed, RPMLimit: p.RPMLimit, TPM: p.TPMUsed, TPMLimit: p.TPMLimit,
		Held: r.flow.Counts.Held.Load(),
	}
	s.Done = s.OK + s.Failed
	s.Total, s.Estimated = r.expected(s.In, s.Skipped)
	s.PerSecond = r.speed.At(now, s.Done-s.Skipped)
	if s.PerSecond > 0 && s.Total > 0 {
		s.ETA = float64(s.Total-s.Done) / s.PerSecond
	}
	for _, l := range lanes {
		if len(lanes) > 1 {
			p := l.Pace.Stats()
			s.Lanes = append(s.Lanes, ui.LaneStatus{Name: l.Host.Name, InFlight: p.InFlight, Allowed: p.Allowed, RPM: p.RPMUsed, Open: p.Open})
		}
	}
	s.Spent, s.SimulatedSpent, s.Budget = r.account.Standing()
	if s.State = r.waitingFor(&p, now); s.State != "" {
		s.ETA = 0
	} else if lanes[0].Host.Index > 0 {
		s.State = "by " + lane.Names(lanes)
	} else {
		s.State = r.batches.Progress()
	}
	return s
}

// waitingFor says in words what holds up the whole run; empty if nothing does.
func (r *run) waitingFor(p *limiter.Stats, now time.Time) string {
	switch {
	case r.flow.Stop.Ending():
		return "stopping"
	case p.Open && p.NextProbe.After(now):
		return "provider down, next probe in " + ui.Wait(p.NextProbe.Sub(now))
	case p.Open:
		return "provider down, probing"
	case !p.PausedUntil.IsZero():
		return "paused " + ui.Wait(p.PausedUntil.Sub(now)) + " by the provider"
	case p.InFlight == 0 && r.flow.Gate.Waiting() == 0 && r.source.Waits():
		return "waiting for input"
	}
	return ""
}
