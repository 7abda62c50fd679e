package limiter

import "time"

// Stats is the limiter at one moment, for a status line and for tests.
type Stats struct {
	InFlight int // permits not ended
	Allowed  int // permits that may be out at once
	Waiting  int // Acquires not answered

	RPMUsed  int // requests granted in the last minute
	RPMLimit int // a minute, what is paced by; 0: none known
	TPMUsed  int // tokens charged in the last minute, as the provider counts them
	TPMLimit int // a minute; with input and output apart, the sum; 0: none known

	Open        bool      // the breaker is open, or being probed
	NextProbe   time.Time // no probe is sent before; zero when the breaker is closed
	PausedUntil time.Time // nothing is sent before; zero when not paused
	GaveUp      error     // a *GaveUp, nil while there is hope

	Granted int64 // permits so far = Settled + Dropped + InFlight
	Settled int64
	Dropped int64
}

// Stats returns the state of now.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance()
	s := Stats{
		InFlight: l.inFlight,
		Allowed:  l.concurrency.allowed(),
		Waiting:  l.retries.size + l.fresh.size,
		RPMLimit: int(l.buckets[requests].limit),
		TPMLimit: int(l.buckets[tokens].limit),
		Open:     l.breaker.open,
		Granted:  l.settled + l.dropped + int64(l.inFlight),
		Settled:  l.settled,
		Dropped:  l.dropped,
	}
	if s.TPMLimit == 0 {
		s.TPMLimit = int(l.buckets[input].limit + l.buckets[output].limit)
	}
	if s.Open {
		s.NextProbe = l.breaker.until
	}
	s.RPMUsed, s.TPMUsed = l.used.lastMinute(l.now)
	if l.hold.on && l.hold.until.After(l.now) {
		s.PausedUntil = l.hold.until
	}
	if l.patience.gaveUp != nil {
		s.GaveUp = l.patience.gaveUp
	}
	return s
}

// usage counts the last minute in seconds, so that a status line costs nothing
// at a grant.
type usage [60]struct {
	second   int64
	requests float64
	tokens   float64
}

func (u *usage) add(now time.Time, requests, tokens float64) {
	second := now.Unix()
	slot := &u[(second%60+60)%60]
	if slot.second != second {
		slot.second, slot.requests, slot.tokens = second, 0, 0
	}
	slot.requests += requests
	slot.tokens += tokens
}

func (u *usage) lastMinute(now time.Time) (requests, tokens int) {
	var r, t float64
	for _, slot := range u {
		if slot.second > now.Unix()-60 {
			r += slot.requests
			t += slot.tokens
		}
	}
	return int(max(r, 0)), int(max(t, 0))
}
