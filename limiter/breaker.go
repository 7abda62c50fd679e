package limiter

import (
	"slices"
	"sync/atomic"
	"time"
)

// TripAfter is how many transient failures in a row open the breaker. At one
// failure in fifty, which is a bad day of a good provider, eight in a row
// come once in 4e13 requests.
const TripAfter = 8

const (
	// If many requests are sent at once, those that fail by chance come back together, before the
	// others are answered. So failures must also be close together in the order of sending. inARow is
	// the least share that the latest TripAfter failures must make up from the first to the last of
	// them. Or else mostly is the least share that all failures of the streak must make up.
	inARow = 0.8
	mostly = 0.5

	// openShare is how much of the outage so far passes between two probes, so that no more than a
	// tenth of it is lost after its end. It is leastOpen at first, and mostOpen at most.
	openShare = 0.1
	leastOpen = 750 * time.Millisecond
	mostOpen  = 60 * time.Second

	// closeAfter is how many probes must succeed. The second goes out when the first has not failed in
	// the time that failures take. As many may fail between the successes: if half of all requests
	// fail for ever, two in a row may never succeed.
	closeAfter = 2
)

// Streak is a run of transient failures with no success between. If it opens
// the breaker, the provider was out: none of its failures is a record's fault,
// and the attempts that they cost are to be given back.
type Streak struct{ opened atomic.Bool }

// Opened reports whether the streak opened the breaker, up to now. It is safe
// for concurrent use, and false for nil.
func (s *Streak) Opened() bool { return s != nil && s.opened.Load() }

// A breaker keeps requests from a provider that fails them all. While it is open it lets nothing
// pass, except a probe now and then.
type breaker struct {
	failures int            // transient, in a row
	numbers  [TripAfter]int // of the latest of them, among the sends
	first    int            // the lowest number of all of them
	last     int            // the highest
	streak   *Streak        // of the latest failures; nil after a success that was sent later
	began    time.Time      // when the first of them was sent

	open      bool
	outage    *Streak   // the streak that opened it last
	since     time.Time // when it opened last
	until     time.Time // no probe before
	shared    time.Time // until then a suspect's failure counts for the outage
	probes    int       // out
	probeSent time.Time // the latest
	successes int       // of probes, with no more than misses between
	misses    int       // probes that failed since the first of the successes
	tries     int       // probes of this outage that failed
}

// wait is how long until a request may go. A failure is known within patience.
func (b *breaker) wait(now time.Time, patience time.Duration) time.Duration {
	switch {
	case !b.open:
		return 0
	case now.Before(b.until):
		return b.until.Sub(now)
	case b.probes == 0:
		return 0
	case b.probes+b.successes >= closeAfter:
		return forever
	}
	return max(0, b.probeSent.Add(patience).Sub(now))
}

// undecided reports whether a probe may yet be sent now, or one that was sent
// after deadline is on its way.
func (b *breaker) undecided(now, deadline time.Time) bool {
	if b.probes > 0 {
		return b.probeSent.After(deadline)
	}
	return !now.Before(b.until)
}

func (b *breaker) grant(p *Permit) {
	if b.open {
		p.probe = true
		b.probes++
		b.probeSent = p.sent
	}
}

// abandon takes back a probe that has no answer.
func (b *breaker) abandon(p *Permit) {
	if p.probe && b.probes > 0 {
		b.probes--
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
		b.rest(now)
		return nil, false
	}
	if b.successes == 0 {
		b.misses = 0
	}
	if b.successes++; b.successes < closeAfter {
		return nil, false
	}
	b.open, b.failures, b.probes = false, 0, 0
	return nil, true
}

// live takes in a sign of life. One that was sent before the failures does not end their streak: an
// outage begins with such late successes, and no record should pay for a failure between them.
func (b *breaker) live(p *Permit) {
	if p.sent.After(b.began) {
		b.failures, b.streak = 0, nil
	}
}

// doubt takes in a failure that is probably the record's own, and returns the streak that it may
// belong to nevertheless. A failed probe counts like any other while the probes of other records
// fail too. After that it says nothing, and the next probe may go at once. That does not go on for
// ever, because each such probe costs its record an attempt.
func (b *breaker) doubt(p *Permit, now time.Time) *Streak {
	b.abandon(p)
	switch {
	case p.probe && now.After(b.shared):
		return nil
	case p.probe:
		b.rest(now)
	case p.sent.After(b.since):
		return b.streak
	}
	return b.outage
}

func (b *breaker) fail(p *Permit, now time.Time) *Streak {
	if p.probe {
		if b.misses++; b.misses > closeAfter {
			b.successes = 0
		}
		b.tries++
		b.share(now)
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
	if b.numbers[b.failures%TripAfter] = p.n; b.failures == 0 {
		b.first, b.last = p.n, p.n
	}
	b.first, b.last = min(b.first, p.n), max(b.last, p.n)
	if b.failures++; b.failures >= TripAfter && b.dense() {
		streak.opened.Store(true)
		b.open, b.outage, b.streak = true, streak, nil
		b.successes, b.probes, b.tries = 0, 0, 0
		b.since = now
		b.share(now)
	}
	return streak
}

// trip opens the breaker because of what other limiters have seen. The failures so far belong to
// the outage.
func (b *breaker) trip(now time.Time) {
	if b.streak == nil {
		b.streak = new(Streak)
	}
	b.streak.opened.Store(true)
	b.open, b.outage, b.streak = true, b.streak, nil
	b.successes, b.probes, b.tries = 0, 0, 0
	b.since = now
	b.share(now)
}

// covers reports whether the breaker is open, and the send n was not before the outage.
func (b *breaker) covers(n int) bool { return b.open && n >= b.first }

// dense reports whether the latest failures, or all of them, are also close together in the order
// of sending.
func (b *breaker) dense() bool {
	latest := slices.Max(b.numbers[:]) - slices.Min(b.numbers[:]) + 1
	return TripAfter >= inARow*float64(latest) || float64(b.failures) >= mostly*float64(b.last-b.first+1)
}

// share puts off the next probe after a failure that is not the record's own. Until the probe after
// that would be due, the failures of suspects count for the outage, too.
func (b *breaker) share(now time.Time) {
	b.rest(now)
	b.shared = b.until.Add(b.until.Sub(now))
}

// rest puts off the next probe.
func (b *breaker) rest(now time.Time) {
	age := float64(now.Sub(b.since))
	b.until = now.Add(min(max(time.Duration(openShare*age), leastOpen), mostOpen))
}
