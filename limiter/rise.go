package limiter

import (
	"math"
	"time"
)

const (
	// A rise of the share of bad sends is one by jump, which a limit that is passed makes, or by
	// creep, which a limit that is just passed makes.
	jump  = 0.15
	creep = 0.03

	// alarm is the sum that a share which does not rise reaches once in thousands of sends.
	alarm = 7.0
)

// A rise is looked for in the share of bad sends (Page's CUSUM, 1954): the sum of the logarithms of
// likelihood ratios, which is never less than nothing, reaches alarm. It counts what came since it
// was nothing, for that is when the share most likely rose.
type rise struct {
	sum float64
	sample
}

// add takes in the send n, and reports whether the share has risen from one value to another.
func (r *rise) add(n int, e *send, from, to float64) bool {
	if r.sum <= 0 {
		*r = rise{}
		if !e.judged.bad() {
			return false
		}
	}
	r.count(n, e)
	r.sum += likelihood(e.judged.bad(), from, to)
	return r.sum >= alarm
}

// likelihood is the logarithm of how much more likely a send is if the share of bad ones is to than
// if it is from.
func likelihood(bad bool, from, to float64) float64 {
	if bad {
		return math.Log(to / from)
	}
	return math.Log((1 - to) / (1 - from))
}

// A sample is some sends in a row.
type sample struct {
	from     int       // number of the first
	at, last time.Time // when the first and the last were sent, idle times left out
	bad      int
	refused  int
	sent     charge
	accepted charge
}

func (s *sample) count(n int, e *send) {
	if s.at.IsZero() {
		s.from, s.at = n, e.busy()
	}
	s.last = e.busy()
	s.sent[requests]++
	s.sent[tokens] += e.tokens
	switch e.judged {
	case refused:
		s.refused++
		s.bad++
	case failed:
		s.bad++
	default:
		s.accepted[requests]++
		s.accepted[tokens] += e.tokens
	}
}

// share is how much of it was bad.
func (s *sample) share() float64 { return float64(s.bad) / max(1, s.sent[requests]) }

// refusedShare is the share of refusals alone.
func (s *sample) refusedShare() float64 { return float64(s.refused) / max(1, s.sent[requests]) }

// seconds is how long it took to send it, the wait before the next one included, idle times left
// out.
func (s *sample) seconds() float64 {
	n := s.sent[requests]
	return max(s.last.Sub(s.at).Seconds()*(n+1)/max(1, n), 0.01)
}
