package limiter

import (
	"time"

	"llmpipe/limiter/lease"
)

const (
	// lag is about how long it takes until a change of the rate shows in what the leader hears. The
	// others must hear of the change, send at the new rate, judge those sends, and report them.
	lag = 5 * lease.Renew

	// pending is greater than the number of any send. It stands for the number of the first send after
	// a change while that is not known.
	pending = 1 << 40

	// beginAt is the share of the rate at which a limit was met for the first time that is sent from
	// then on. If it is too little, the rate rises at once.
	beginAt = 0.25

	// farther is how many times more slowly a rate rises than in a limiter that hears of a refusal at
	// once. outrun is by which factor the rate may lie above what is sent a second.
	farther = 4.0
	outrun  = 1.5

	// startJumpOfAll is startJump for sends whose order is known less well.
	startJumpOfAll = 0.15

	// cutOfAll is cutTo for an estimate that includes what a bucket had saved up. A cut that leaves
	// more than the limit would seem to make no difference.
	cutOfAll = 0.7

	// wellBelowLimit is the share that is sent of a limit that was met. Many streams are not as even
	// as one, and an empty bucket refuses some of what comes just below its limit.
	wellBelowLimit = 0.97
)

// lead is what the leader needs to find out a limit for all processes. It judges the sends of all
// of them, as a lone limiter judges its own.
type lead struct {
	sends sends         // of all, in the order in which they are heard of
	at    time.Time     // when something was heard of last
	since time.Time     // the last change of the rate; zero: it shows in what is heard
	idle  time.Duration // in which nothing was sent
	rate  float64       // sent a second, as of late
	risen bool          // more is bad than chance explains

	began    time.Time
	accepted float64 // since then
	failed   float64 // in a row
}

// tell notes for the others what became of a send. by is 1, or -1 to take that back.
func (s *share) tell(e *send, by float64) {
	t := &s.seen
	switch e.judged {
	case void, unsent:
		return
	case refused:
		t.Refused += by
	case failed:
		t.Failed += by
	default:
		t.Accepted += by
		t.Tokens += by * e.tokens
	}
	if e.judged.bad() {
		t.Lost += by * e.tokens
	}
	if e.held {
		t.Held += by
	}
}

// alarm stops the lane for a moment if so much is refused that a limit must have been met that
// nobody knows yet. Until the limit is known, more would only be refused.
func (s *share) alarm(n int, e *send, now time.Time) {
	if s.found.Requests > 0 || !s.jump.add(n, e, startChance, startChance+startJump) || s.jump.refused == 0 {
		return
	}
	s.jump = rise{}
	s.pause = now.Add(lease.Away)
	s.sharer.Want(true)
}

// judgeShared is judge for a shared quota: it reports what became of the sends, and the leader
// judges them.
func (l *Limiter) judgeShared() {
	s := l.share
	for n := l.sends.pop(l.now); n != 0; n = l.sends.pop(l.now) {
		l.seeShared(n, l.sends.get(n))
	}
	if open := l.hold.on || l.breaker.open && !s.follows; open != s.shuts {
		s.shuts = open
		s.sharer.Want(true)
	}
}

func (l *Limiter) seeShared(n int, e *send) {
	l.hold.see(n, e, startChance, l.now)
	l.share.tell(e, 1)
	l.share.alarm(n, e, l.now)
}

// follow takes in what a grant says is believed about the limit. If this limiter leads, it also
// finds out more.
func (l *Limiter) follow(g lease.Grant) {
	s, p := l.share, &l.pace
	s.found = g.Found
	if s.found.Requests > 0 {
		s.pause = time.Time{}
	}
	l.concurrency.among(g.Workers, g.Limits == lease.Amounts{} && l.now.Sub(s.began) < startFor)
	found := charge{requests: g.Found.Requests, tokens: g.Found.Tokens}
	switch {
	case !g.Leads:
		s.lead = nil
		if p.rate, p.phase, p.opened = found, unpaced, false; found[requests] > 0 {
			p.phase, p.opened = paced, true
		}
	case s.lead == nil:
		s.lead = &lead{sends: newSends(), at: l.now, began: l.now}
		*p = newPace(l.now)
		p.climb.farther, p.climb.below = farther, wellBelowLimit
		p.startJump, p.cutTo = startJumpOfAll, cutOfAll
		if found[requests] > 0 {
			p.opened = true
			p.holdAt(found, false, l.now)
			p.climb.limit = found[requests]
		}
	default:
		was := p.rate[requests]
		l.learnOf(g)
		if is := p.rate[requests]; is != 0 && is < (1-stepBack/2)*was || (is == 0) != (was == 0) {
			s.sharer.Want(true)
		}
	}
}

// learnOf has the leader judge what all have sent since the last time.
func (l *Limiter) learnOf(g lease.Grant) {
	s, p := l.share, &l.pace
	took := l.now.Sub(s.lead.at)
	sent := max(0, g.Seen.Accepted) + max(0, g.Seen.Refused) + max(0, g.Seen.Failed)
	all := &s.lead.sends
	if sent == 0 {
		s.lead.idle += took
	}
	from := all.next
	s.lead.hear(g.Seen, took)
	s.lead.rate += (1 - fading) * (sent/max(took, lease.Renew/2).Seconds() - s.lead.rate)
	s.lead.accepted += g.Seen.Accepted
	s.lead.at = l.now
	was := p.rate
	p.next = pending
	s.lead.pass(p, from, l.now)
	p.lulls = lulls{since: l.now, idle: s.lead.idle}
	told := p.tells()
	for r := range p.told {
		p.told[r] = l.buckets[r].bound() / 60
	}
	if p.tells() != told && p.climb.limit == 0 { // what was refused before says nothing about it
		p.free(l.now)
	}
	compared := p.phase == comparing
	if p.phase == paced { // it counts what was saved up, and tells nothing about later refusals
		p.cut.accepted = charge{}
	}
	if s.lead.fails(g.Seen) && !l.breaker.open {
		l.breaker.trip(l.now)
		p.forget(l.now)
	}
	if l.breaker.open || l.hold.on || s.shut.After(l.now) {
		return
	}
	for n := max(from, all.oldest()); n < all.next; n++ {
		e := all.get(n)
		if n < p.first && p.phase != unpaced && e.judged == good {
			p.climb.accept(e) // sent at another rate, but from the same bucket
		}
		s.lead.risen = p.see(n, e, l.now) == risen || s.lead.risen && p.jump.sum > 0
	}
	switch {
	case s.lead.risen && p.phase == unpaced:
		switch {
		case 2*p.jump.refused <= p.jump.bad: // perhaps an outage, which is for the breaker
		case !p.tells():
			p.meet(s.lead.sending(g.InFlight, l.latency, l.now), l.now)
		case p.jump.sent[requests] >= known:
			p.doubt(all.badShare(max(p.since, p.first)), l.now)
		}
		s.lead.risen = false
	case s.lead.risen:
		if p.jump.sent[requests] >= known {
			p.doubt(all.badShare(max(p.since, p.first)), l.now)
			s.lead.risen = false
		}
	case p.phase == unpaced && !p.opened && (l.concurrency.settled() || l.now.Sub(p.began) > startFor):
		p.open(l.now)
	default:
		p.retest(all, l.now)
	}
	if compared && p.phase == paced {
		p.climb.limit = p.rate[requests]
	}
	if most := outrun * s.lead.rate; p.phase == paced && p.rate[requests] > max(most, was[requests]) {
		p.rate.scale(max(most, was[requests]) / p.rate[requests])
	}
}

// fails reports whether the provider fails everything. In the sends of all processes that shows
// long before it does in those of one.
func (d *lead) fails(t lease.Tally) bool {
	if t.Accepted > 0 || t.Refused > 0 {
		d.failed = 0
	}
	if t.Accepted <= 0 {
		d.failed += t.Failed
	}
	return d.failed >= TripAfter
}

// sending is how many requests are accepted a second: those in flight, divided by the time that one
// takes. If no answer has come yet, it is the mean since the start.
func (d *lead) sending(inFlight, latency float64, now time.Time) float64 {
	if inFlight > 0 && latency > 0 {
		return inFlight / latency
	}
	return d.accepted / max(now.Sub(d.began).Seconds(), lease.Renew.Seconds())
}

// pass finds out whether the last change of the rate shows by now in what is heard of. If it does,
// from is the number of the first send after the change.
func (d *lead) pass(p *pace, from int, now time.Time) {
	waits := p.first == pending || p.since == pending || p.climb.stepped == pending
	switch {
	case !waits:
		d.since = time.Time{}
		return
	case d.since.IsZero():
		d.since = now
		return
	case now.Sub(d.since) < lag:
		return
	}
	d.since = time.Time{}
	for _, n := range []*int{&p.first, &p.since, &p.climb.stepped} {
		if *n == pending {
			*n = from
		}
	}
}

// hear takes in what became of the sends since something was heard of last, took ago. It spreads
// them evenly over that time.
func (d *lead) hear(t lease.Tally, took time.Duration) {
	fates := [...]struct {
		fate  fate
		count float64
	}{{good, t.Accepted}, {refused, t.Refused}, {failed, t.Failed}}
	sent, bads := 0.0, max(0, t.Refused)+max(0, t.Failed)
	for _, f := range fates {
		sent += max(0, f.count)
	}
	var done [len(fates)]float64
	for i := 1.0; i <= sent; i++ {
		next, most := 0, 0.0
		for k, f := range fates {
			if due := f.count*i/sent - done[k]; due > most {
				next, most = k, due
			}
		}
		done[next]++
		f := fates[next].fate
		tokens := t.Tokens / max(1, t.Accepted)
		if f != good {
			tokens = t.Lost / max(1, bads)
		}
		n := d.sends.add(d.at.Add(time.Duration(float64(took)*i/sent)), tokens)
		e := d.sends.get(n)
		e.fate, e.judged, e.idle, e.ended = f, f, d.idle, e.at
		e.held = i*t.Held/sent-float64(int((i-1)*t.Held/sent)) >= 1
	}
	d.sends.judged = d.sends.next
}
