package limiter

import (
	"math"
	"sort"
	"time"

	"llmpipe/limiter/lease"
)

// A Sharer stands for a quota that other processes use, too. Its owner asks for leases: it calls
// [Limiter.Ask] every [lease.Renew] if the last Ask said that there is something to send, and
// otherwise every [lease.Rest]. It calls [Limiter.Heed] with each answer.
type Sharer interface {
	// Want asks for the next Ask before its time. Either there is something to send again, or, with
	// atOnce, there is something to tell that must not wait. Want must neither wait nor call the
	// limiter.
	Want(atOnce bool)
}

const (
	// A limiter that waits for more of a resource asks for grown times what it used lately, so that a
	// lane that begins gets to its part in a second or so. A limiter that does not wait asks for spare
	// times what it used.
	grown = 4.0
	spare = 1.25

	// fading is how much of what was used counts one ask later.
	fading = 0.75
)

// share is a limiter's part in a quota that it uses together with others.
type share struct {
	sharer Sharer
	drawn  [resources]drawn
	began  time.Time
	heard  time.Time // the last grant; zero: none yet
	asked  time.Time // the last ask
	active time.Time // the last ask at which something was sent or waited
	busy   bool      // active was lately

	seen  lease.Tally // since the last ask
	found lease.Found // what nobody told, as all believe
	jump  rise        // of bad sends, while nothing is found
	pause time.Time   // nothing is sent before, because nothing is found yet
	lead  *lead       // nil: another limiter finds it out

	shut    time.Time // nothing is sent before, because another limiter shut the lane
	shuts   bool      // this limiter has shut the lane
	follows bool      // the breaker is open because another's is
}

// join makes the limiter one of several.
func (l *Limiter) join(s Sharer) {
	if s == nil {
		return
	}
	l.share = &share{sharer: s, began: l.now, asked: l.now}
	for r := range l.buckets {
		b := &l.buckets[r]
		b.drawn = &l.share.drawn[r]
		b.level = 0
		b.resize()
	}
}

// wait is for ever until the first grant, because others may know a limit that was not told here.
func (s *share) wait(now time.Time) time.Duration {
	switch {
	case s == nil:
		return 0
	case s.heard.IsZero():
		return forever
	}
	return max(0, s.shut.Sub(now), s.pause.Sub(now))
}

// want makes the sharer ask more often once something waits.
func (s *share) want() {
	if s != nil && !s.busy {
		s.busy = true
		s.sharer.Want(false)
	}
}

// Ask returns what the limiter tells the others, and what it asks for. If the Ask is not Busy, the
// limiter need not be asked again before [lease.Rest] is over or [Sharer.Want] is called.
func (l *Limiter) Ask() (ask lease.Ask) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance()
	s := l.share
	slices := max(l.now.Sub(s.asked), lease.Renew/2).Seconds() / lease.Slice.Seconds()
	s.asked = l.now
	var cost charge
	waiting := 0
	if w := l.first(); w != nil {
		cost = l.estimate.charge(w.request)
		waiting = min(l.retries.size+l.fresh.size, max(0, l.concurrency.allowed()-l.inFlight))
	}
	closed := s.shut.After(l.now)
	if l.breaker.open || l.hold.on {
		waiting = min(waiting, 1) // the probe
	}
	if waiting > 0 || s.drawn[requests].used > 0 {
		s.active = l.now
	}
	s.busy = l.now.Sub(s.active) < lease.Rest
	for r := range l.buckets {
		b := &l.buckets[r]
		ask.Bounds[r] = b.share()
		if ask.Want[r], ask.Least[r] = b.ask(cost[r], waiting, slices); closed {
			ask.Want[r], ask.Least[r] = 0, 0
		}
	}
	ask.Least[requests] = 1
	ask.Want[requests] = math.Ceil(ask.Want[requests])
	ask.Busy = s.busy
	ask.InFlight = float64(l.sends.accepted())
	ask.Seen, s.seen = s.seen, lease.Tally{}
	if ask.Leads = s.lead != nil; ask.Leads {
		ask.Found = l.belief()
	}
	ask.Shut = l.shutting()
	return ask
}

// belief is what the leader believes about limits that nobody told, less what is to be left unused.
func (l *Limiter) belief() lease.Found {
	b, p := &l.buckets[requests], &l.pace
	used := 1 - b.spare
	if p.phase != paced {
		used = 1 // the rate is a part of what was sent, which already left the spare share unused
	}
	return lease.Found{Requests: used * p.rate[requests], Tokens: used * p.rate[tokens]}
}

// shutting returns for how long nobody should send anything, as far as this limiter knows.
func (l *Limiter) shutting() lease.Shut {
	until := time.Time{}
	switch {
	case l.breaker.open && !l.share.follows:
		until = l.breaker.until
	case l.hold.on:
		until = l.hold.until
	default:
		return lease.Shut{}
	}
	return lease.Shut{For: max(until.Sub(l.now), lease.Away), Outage: l.breaker.open}
}

// obey takes in that another has shut the lane, or that nobody has.
func (l *Limiter) obey(shut lease.Shut) {
	s, b := l.share, &l.breaker
	s.shut = l.now.Add(shut.For)
	if shut.For > 0 {
		l.hold.leave()
		for r := range s.drawn { // leases from before will be stale when they may be used
			s.drawn[r].parcels = nil
			l.buckets[r].level = min(l.buckets[r].level, 0)
		}
	}
	switch {
	case shut.Outage:
		if !b.open {
			b.trip(l.now)
			l.pace.forget(l.now)
		}
		s.follows, b.until = true, s.shut
	case s.follows:
		s.follows = false
		b.open, b.failures, b.probes = false, 0, 0
		l.concurrency.resume(false)
		l.pace.interrupt(l.now)
	}
}

// Heed takes in the answer to an Ask.
func (l *Limiter) Heed(g lease.Grant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.advance()
	s := l.share
	s.heard = l.now
	l.obey(g.Shut)
	l.follow(g)
	found := charge{requests: g.Found.Requests, tokens: g.Found.Tokens}
	for r := range l.buckets {
		b, d, p := &l.buckets[r], &s.drawn[r], g.Parcels[r]
		if was := b.limit; was > 60*g.Limits[r] && g.Limits[r] > 0 {
			d.stretch(was/60/g.Limits[r], l.now)
		}
		b.agree(60 * g.Limits[r])
		b.byTrial = found[r] > 0 && g.Limits[r] >= found[r]
		d.part = g.Limits[r] / float64(max(1, g.Workers))
		d.alone = l.now.Add(lease.Away)
		if p.Amount > 0 {
			d.parcels = append(d.parcels, parcel{l.now.Add(p.From), l.now.Add(p.To), p.First, p.Amount - p.First})
		}
	}
	l.pump()
}

// share is the limit a second that the user or headers told, less what is to be left unused; 0 for
// none.
func (b *bucket) share() float64 {
	limit := b.tellable() / 60
	if limit*depthSeconds < 1 {
		limit *= slowShare
	}
	return limit
}

// agree sets the limit a minute that holds for all who share, 0 for none.
func (b *bucket) agree(limit float64) {
	if b.agreed != limit {
		b.agreed = limit
		b.resize()
	}
}

// ask returns how much the bucket could use until a slice from now, and the least of that that is
// of use. waiting is how many requests wait, and cost what the first of them costs. slices is how
// many slices have passed since the last ask. The count of what was used begins again.
func (b *bucket) ask(cost float64, waiting int, slices float64) (want, least float64) {
	d := b.drawn
	d.lately = max(d.used/slices, fading*d.lately)
	d.used = 0
	if b.limit == 0 {
		return 0, 0
	}
	has, growth := b.level+d.coming(b.at), spare
	if waiting > 0 && b.level < cost {
		least, growth = max(0, cost-has), grown
	}
	return max(least, cost*float64(waiting)+growth*d.lately-has, 0), least
}

// drawn holds what leases bring of one resource. That fills a bucket instead of time.
type drawn struct {
	parcels []parcel
	part    float64   // a second: what this limiter may use while the store is away
	alone   time.Time // when that begins, if nothing more is heard
	last    float64   // what the last request took
	used    float64   // since the last ask
	lately  float64   // used in a slice, as of late
}

// fill returns the level at now. level is what it was at was.
func (d *drawn) fill(level float64, was, now time.Time) float64 {
	kept := d.parcels[:0]
	for _, p := range d.parcels {
		level += p.due(now) - p.due(was)
		if now.Before(p.to) {
			kept = append(kept, p)
		}
	}
	d.parcels = kept
	if depth := d.depth(); d.alone.Before(now) && level < depth {
		since := now.Sub(d.alone)
		if d.alone.Before(was) {
			since = now.Sub(was)
		}
		level = min(depth, level+d.part*since.Seconds())
	}
	return level
}

// stretch makes what is on its way come later: by times as late.
func (d *drawn) stretch(by float64, now time.Time) {
	for i := range d.parcels {
		p := &d.parcels[i]
		due := p.due(now)
		if p.from.After(now) {
			p.from = now.Add(time.Duration(by * float64(p.from.Sub(now))))
		} else { // what has come stays
			p.from, p.first, p.rest = now, 0, p.first+p.rest-due
		}
		p.to = now.Add(time.Duration(by * float64(p.to.Sub(now))))
	}
}

// depth is how much is saved up while the store is away.
func (d *drawn) depth() float64 { return max(1, d.part*depthSeconds) }

// wait is how long until there is room for n.
func (d *drawn) wait(level, n float64, now time.Time) time.Duration {
	const dust = 1e-6
	if level += dust; level >= n {
		return 0
	}
	last := now
	for _, p := range d.parcels {
		if p.to.After(last) {
			last = p.to
		}
	}
	span := last.Sub(now)
	wait := time.Duration(sort.Search(int(span), func(i int) bool {
		return level+d.arriving(now, now.Add(time.Duration(i))) >= n
	}))
	if wait < span || level+d.arriving(now, last) >= n {
		return wait
	}
	if d.part == 0 {
		return forever
	}
	short := max(0, min(n, d.depth())-level-d.coming(now))
	return max(span, d.alone.Sub(now)) + time.Duration(math.Ceil(short/d.part*float64(time.Second)))
}

// arriving is what comes in after from and until to.
func (d *drawn) arriving(from, to time.Time) (sum float64) {
	for _, p := range d.parcels {
		sum += p.due(to) - p.due(from)
	}
	return sum
}

// coming is all that is on its way.
func (d *drawn) coming(now time.Time) (sum float64) {
	for _, p := range d.parcels {
		sum += p.first + p.rest - p.due(now)
	}
	return sum
}

// A parcel is what a lease brings of one resource, some of which is still to come.
type parcel struct {
	from, to time.Time
	first    float64 // is there at from
	rest     float64 // comes evenly until to
}

// due is how much of it is there at now.
func (p *parcel) due(now time.Time) float64 {
	switch {
	case now.Before(p.from):
		return 0
	case !now.Before(p.to):
		return p.first + p.rest
	}
	return p.first + p.rest*float64(now.Sub(p.from))/float64(p.to.Sub(p.from))
}
