package limiter

import (
	"cmp"
	"time"
)

// judge goes through the sends whose fate can be told, in the order of sending, and acts on what
// they show.
func (l *Limiter) judge() {
	if l.share != nil {
		l.judgeShared()
		return
	}
	p := &l.pace
	p.next, p.lulls = l.sends.next, l.lulls
	for r := range p.told {
		p.told[r] = l.buckets[r].bound() / 60
	}
	for n := l.sends.pop(l.now); n != 0; n = l.sends.pop(l.now) {
		l.see(n, l.sends.get(n))
	}
	if !l.breaker.open && !l.hold.on {
		switch {
		case p.measured(l.now):
			l.decide()
		case p.phase == unpaced && !p.opened && (l.concurrency.settled() || l.now.Sub(p.began) > startFor):
			p.open(l.now)
		default:
			p.retest(&l.sends, l.now)
		}
	}
	for r := range p.rate {
		l.buckets[r].find(60*p.rate[r], p.phase != paced)
	}
}

// see shows the send n to all that judge by sends.
func (l *Limiter) see(n int, e *send) {
	if n != l.hold.probe && l.concurrency.places.explains(e) {
		return
	}
	held := l.hold.on
	ended := l.hold.see(n, e, l.pace.supposed(), l.now)
	switch {
	case ended && l.reopen():
		return
	case !held && l.hold.on:
		l.hold.beside = l.sends.accepted()
		l.pace.interrupt(l.now)
	}
	if l.breaker.open || l.hold.on {
		return
	}
	switch l.pace.see(n, e, l.now) {
	case refusing:
		l.confine(l.sends.oldest())
	case risen:
		if l.pace.phase == unpaced {
			l.pace.measure(float64(l.sends.accepted()), cmp.Or(l.latency, 1), l.now)
		} else {
			l.decide()
		}
	}
}

// fewAtOnce is how many requests in flight are too few to show in time that the hint of one of them
// is wrong.
const fewAtOnce = 2

// alone reports whether a hint has to be believed for want of other evidence.
func (l *Limiter) alone() bool {
	return l.concurrency.fixed && l.concurrency.allowed() <= fewAtOnce && l.pace.shown() == 0
}

// reopen goes on after a hold. It reports whether the hold has shown at which rate, or with how
// many places. A hold within an outage shows neither: what the breaker let through was few.
func (l *Limiter) reopen() bool {
	if l.breaker.covers(l.hold.from) {
		return false
	}
	if l.hold.longest < briefHold && !l.pace.limits {
		// It was short, and no limit has been held before: the server may have only so many places.
		if l.confine(l.sends.oldest()) {
			return true
		}
		if n := l.hold.beside; n > 0 && l.concurrency.suppose(n, l.now) {
			l.pace.free(l.now)
			return true
		}
	}
	long, hinted := l.hold.longest >= briefHold, !l.hold.hinted.IsZero()
	rate, seconds, ok := l.hold.cycle(l.lulls.busy(l.now))
	if !ok {
		return false
	}
	window := long && l.pace.climb.cycle(seconds, rate[requests]*seconds, hinted)
	rate.scale(belowLimit)
	l.pace.climb.empty(l.lulls.busy(l.now))
	l.pace.holdAt(rate, !window && !l.pace.climb.windowed(), l.now)
	return true
}

// decide finds out whether the provider refuses what exceeds its places or what exceeds its rate.
func (l *Limiter) decide() {
	if !l.confine(l.pace.jump.from - near) {
		l.concurrency.deny(l.now)
		l.pace.doubt(l.sends.badShare(max(l.pace.since, l.pace.first)), l.now)
	}
}

// confine holds the lane to the server's places, if the sends from a number on show how many those
// are. It reports whether they do.
func (l *Limiter) confine(from int) bool {
	if l.pace.climb.windowed() || !l.concurrency.placeable(l.now) {
		return false
	}
	n := l.sends.placesTaken(from, time.Duration(cmp.Or(l.latency, 0.5)*float64(time.Second)))
	if n == 0 {
		return false
	}
	l.concurrency.confine(n, l.now)
	l.pace.free(l.now)
	return true
}

// unjudged is how long until the next send counts as accepted, if something waits for that.
func (l *Limiter) unjudged() time.Duration {
	if !l.hold.on && l.pace.phase == unpaced || l.sends.judged == l.sends.next {
		return forever
	}
	return max(time.Millisecond, l.sends.patience()-l.now.Sub(l.sends.get(l.sends.judged).at))
}
