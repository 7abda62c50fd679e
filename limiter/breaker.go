package limiter

import (
	"sync/atomic"
	"time"
)

// TripAfter is how many transient failures in a row open the breaker. At one
// failure in fifty, which is a bad day of a good provider, eight in a row
// come once in 4e13 requests.
const TripAfter = 8

const (
	firstOpen = 5 * time.Second
	mostOpen  = 60 * time.Second

	// closeAfter is how many probes must succeed, one after the other.
	closeAfter = 2
)

// Streak is a run of transient failures with no success between. If it opens
// the breaker, the provider was out: none of its failures is a record's fault,
// and the attempts that they cost are to be given back.
type Streak struct{ opened atomic.Bool }

// Opened reports whether the streak opened the breaker, up to now. It is safe
// for concurrent use, and false for nil.
func (s *Streak) Opened() bool { return s != nil && s.opened.Load() }

// A breaker keeps requests from a provider that fails them all. Open, it lets
// nothing pass; when its time is over, one probe at a time.
type breaker struct {
	failures int       // transient, in a row
	streak   *Streak   // of the latest failures; nil after a success that was sent later
	began    time.Time // when the first of them was sent

	open      bool
	outage    *Streak   // the streak that opened it last
	since     time.Time // when it opened last
	until     time.Time // no probe before
	hold      time.Duration
	probing   bool
	probeSent time.Time
	successes int // of probes, in a row
}

func (b *breaker) wait(now time.Time) time.Duration {
	switch {
	case !b.open:
		return 0
	case now.Before(b.until):
		return b.until.Sub(now)
	case b.probing:
		return forever
	}
	return 0
}

// undecided reports whether a probe may yet be sent now, or one that was sent
// after deadline is on its way.
func (b *breaker) undecided(now, deadline time.Time) bool {
	if b.probing {
		return b.probeSent.After(deadline)
	}
	return !now.Before(b.until)
}

func (b *breaker) grant(p *Permit) {
	if b.open {
		p.probe, b.probing, b.probeSent = true, true, p.sent
	}
}

// abandon takes back a probe that has no answer.
func (b *breaker) abandon(p *Permit) {
	if p.probe {
		b.probing = false
	}
}

// settle takes in an answer, and returns the streak that a failure belongs to
// and whether the breaker closed.
func (b *breaker) settle(p *Permit, kind Kind, now time.Time) (*Streak, bool) {
	b.abandon(p)
	if kind == Transient {
		return b.fail(p, now), false
	}
	if !b.open {
		if kind != Pressure {
			b.live(p)
		}
		return nil, false
	}
	if !p.probe {
		return nil, false // sent before the outage: says nothing of now
	}
	if kind == Pressure {
		b.until = now.Add(b.hold)
		return nil, false
	}
	if b.successes++; b.successes < closeAfter {
		return nil, false
	}
	b.open, b.failures = false, 0
	return nil, true
}

// live takes in a sign of life. One that was sent before the failures does not
// end their streak: an outage begins with such late successes, and no record
// is to pay for failing between them.
func (b *breaker) live(p *Permit) {
	b.failures = 0
	if p.sent.After(b.began) {
		b.streak = nil
	}
}

func (b *breaker) fail(p *Permit, now time.Time) *Streak {
	if p.probe {
		b.successes = 0
		b.hold = min(2*b.hold, mostOpen)
		b.until = now.Add(b.hold)
		return b.outage
	}
	if !p.sent.After(b.since) {
		// Sent before the outage was known, such as one that hung until it timed
		// out: it belongs to that outage, even if that is over.
		return b.outage
	}
	if b.streak == nil {
		b.streak, b.began = new(Streak), p.sent
	}
	streak := b.streak
	if b.failures++; b.failures >= TripAfter {
		streak.opened.Store(true)
		b.open, b.outage, b.streak = true, streak, nil
		b.successes = 0
		b.since, b.hold = now, firstOpen
		b.until = now.Add(b.hold)
	}
	return streak
}
