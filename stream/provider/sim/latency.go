package sim

import (
	"cmp"
	"math"
	"time"
)

// Drift says how the mean latency moves after the simulator's start: evenly from Options.Latency to
// To and back, once in each Period. With the zero value it stays the same.
type Drift struct{ To, Period time.Duration }

const (
	saltLatency  = 0x6c6174656e6379
	saltStraggle = 0x7374726167
)

// straggling is how many times the mean latency a straggler takes by default.
const straggling = 10

// latency returns how long request number arrival takes. inFlight is the number of requests under
// way, including this one.
func (s *Server) latency(arrival uint64, inFlight int) time.Duration {
	mean := s.options.Latency
	if drift := s.options.LatencyDrift; drift.Period > 0 {
		mean = drift.from(mean, time.Since(s.start))
	}
	return s.options.latency(arrival, inFlight, mean)
}

// from returns the mean latency at a time. It begins with start.
func (d Drift) from(start, since time.Duration) time.Duration {
	phase := float64(since%d.Period) / float64(d.Period)
	return start + time.Duration((1-math.Abs(2*phase-1))*float64(d.To-start))
}

func (o *Options) latency(arrival uint64, inFlight int, mean time.Duration) time.Duration {
	if o.Stragglers > 0 && unit(mix(o.Seed^saltStraggle, arrival)) < o.Stragglers {
		return cmp.Or(o.StragglerLatency, straggling*mean)
	}
	if mean <= 0 {
		return 0
	}
	u := unit(mix(o.Seed^saltLatency, arrival))
	d := float64(mean) * (1 + o.Jitter*(2*u-1))
	if o.Slow > 0 && inFlight > o.Slow {
		d *= float64(inFlight) / float64(o.Slow)
	}
	return time.Duration(d)
}
