package limiter

import "time"

const (
	// leastChance is the share of refusals and failures that is always taken for chance. If none were
	// assumed, the first one would prove a limit. A share of more than shownChance counts as shown,
	// and a share of at most trifle is not worth a test.
	leastChance = 0.005
	shownChance = 0.01
	trifle      = 0.02

	// mostChance is the largest share that can pass for chance. Beyond it something is wrong, and
	// whatever that is, it is right to send less.
	mostChance = 0.25

	// startChance is the share that is taken for chance while the lane still doubles, and startJump
	// the rise that would be a limit: each doubling beyond a limit has half of everything refused. The
	// start ends when the first growth is over, or after startFor in a lane that has too little to do
	// to grow.
	startChance = 0.15
	startJump   = 0.4
	startFor    = 10 * time.Second

	// known is how many sends it takes to say something about chance.
	known = 30

	// A limit is measured from the first bad send on, for measureFor and until enough sends were
	// accepted, but for measureMost at most.
	measureFor  = 300 * time.Millisecond
	measureMost = 2 * time.Second
	enough      = 4

	// cutTo is the share of what was accepted that is sent to see whether bad sends become rarer. If
	// too little was accepted to tell, a cut leaves at least cutAtMost of what was sent. leastRate is
	// the lowest rate that a lane is ever held to, in requests a second.
	cutTo     = 0.85
	cutAtMost = 0.25
	leastRate = 0.1

	// settleAt is the share of what was accepted that is sent once that has proved to be a limit.
	settleAt = 0.97

	// If at least certain sends were refused, and that was most of all, it is a limit without a test.
	certain = 5

	// flukes is by which factor the share of all may exceed chance for an alarm to be taken for
	// chance, too. mayDrift is by which factor chance may rise above what was believed while a limit
	// is held. Chance follows the sends slowly, by driftBy of the difference at each.
	flukes   = 1.5
	mayDrift = 1.5
	driftBy  = 1.0 / 1000

	// What has passed for chance is tested again after firstRetest, then after twice that, and so on
	// up to mostRetest. It is compared with retestOf sends before.
	firstRetest = 20 * time.Second
	mostRetest  = 5 * time.Minute
	retestOf    = 256

	// wellBelow is a share of what was accepted before a cut. As long as less is sent, the comparison
	// goes on.
	wellBelow = 0.9

	// vain is how many cuts in a row must change nothing before a limit that was held is given up for
	// chance: other clients of the limit may take what a cut leaves.
	vain = 3
)

// phase is what the pace is about.
type phase uint8

const (
	unpaced   phase = iota // no limit is known
	measuring              // much is bad: how much is accepted?
	comparing              // does it make a difference to send less?
	paced                  // a limit is known
)

// belief is what the pace has come to think of the provider.
type belief struct {
	phase  phase
	rate   charge  // a second, of requests and tokens; zero: as many as there is room for
	chance float64 // share that is refused or fails whatever is sent
	turned float64 // of that, the refusals
	most   float64 // chance, as last shown
	limits bool    // a limit has been held
}

// pace finds the rate of a provider that does not tell it, from what the provider accepts in the
// order of sending. It tells limits from chance by trying: refusals that become rarer when less is
// sent come from a limit.
type pace struct {
	belief
	calm belief // before the latest suspicion
	from charge // the rate to go back to if a cut makes no difference
	told charge // a second, the most that somebody told; zero: nobody did

	began time.Time // the phase
	since int       // the first send of the phase
	first int       // sends before it went out at another rate, and say nothing of this one
	next  int       // number of the next send
	lulls lulls     // as they are now

	opened    bool // the start is over
	startJump float64
	cutTo     float64
	start     sample
	jump      rise
	creep     rise
	cut       cut
	climb     climb
	again     time.Time // when chance is tested again; zero: never
	interval  time.Duration
}

func newPace(now time.Time) pace {
	return pace{
		belief: belief{chance: leastChance}, calm: belief{chance: leastChance},
		began: now, interval: firstRetest, climb: newClimb(), startJump: startJump, cutTo: cutTo,
	}
}

// finding is what a send has shown.
type finding uint8

const (
	nothing  finding = iota
	risen            // more is bad than chance explains
	refusing         // a limit that is held was met
)

// see takes in the send n, in the order of sending.
func (p *pace) see(n int, e *send, now time.Time) finding {
	if n < p.first {
		return nothing
	}
	if !e.judged.tells() {
		p.jump.pass(e)
		p.creep.pass(e)
		return nothing
	}
	p.climb.meet(e)
	switch p.phase {
	case measuring:
		p.jump.count(n, e)
	case comparing:
		p.jump.count(n, e)
		if e.judged == good {
			p.climb.accept(e)
		}
		if v := p.cut.add(n, e); v != undecided {
			p.conclude(v, now)
		}
	case paced:
		return p.hold(n, e, now)
	default:
		p.drift(e, mostChance)
		p.remember()
		if p.suspect(n, e) {
			return risen
		}
	}
	return nothing
}

// suspect looks for a rise of the share of bad sends.
func (p *pace) suspect(n int, e *send) bool {
	if !p.opened {
		p.start.count(n, e)
		return p.jump.add(n, e, startChance, startChance+p.startJump)
	}
	jumped := p.jump.add(n, e, p.chance, p.chance+jump)
	crept := p.creep.add(n, e, p.chance, p.chance+creep)
	if !jumped && crept {
		p.jump = p.creep // what is counted from here on
	}
	return jumped || crept
}

// drift lets chance follow the sends, up to most, once chance has been shown.
func (p *pace) drift(e *send, most float64) {
	if p.chance <= leastChance || !p.opened {
		return
	}
	bad := 0.0
	if e.judged.bad() {
		bad = 1
	}
	p.chance = min(max(p.chance+driftBy*(bad-p.chance), leastChance), most)
	if p.phase == unpaced {
		p.most = p.chance
	}
}

// hold steps back from a refusal, and climbs while there is none.
func (p *pace) hold(n int, e *send, now time.Time) finding {
	p.drift(e, max(trifle, mayDrift*p.most))
	if p.rate[requests] < wellBelow*p.cut.accepted[requests] && p.cut.add(n, e) == isChance {
		p.conclude(isChance, now)
		return nothing
	}
	p.remember()
	met := e.judged == refused && n >= p.climb.stepped && p.turned <= shownChance
	switch {
	case met:
		p.step(e, now)
	case e.judged == good:
		p.climb.accept(e)
		if e.held {
			p.climb.up(&p.rate, p.told)
		}
	}
	switch {
	case n >= p.first && p.suspect(n, e):
		return risen
	case met:
		return refusing
	}
	return nothing
}

// step lowers the rate at a refusal.
func (p *pace) step(e *send, now time.Time) {
	by := p.climb.down(&p.rate, p.told, e.busy())
	p.climb.stepped = p.next
	if by < 1-stepBack { // what went out at the rate before says nothing about this one
		p.enter(paced, now)
	}
}

// supposed is the share that is taken for chance now.
func (p *pace) supposed() float64 {
	if !p.opened {
		return max(p.chance, startChance)
	}
	return p.chance
}

// shown is the share of chance that has been shown.
func (p *pace) shown() float64 {
	if p.chance <= leastChance {
		return 0
	}
	return p.chance
}

// tells reports whether somebody told a limit. If so, what is refused is not taken for chance
// without a trial.
func (p *pace) tells() bool { return p.told != charge{} }

// open ends the start. What was bad while the lane kept doubling counts as chance until it is
// tested.
func (p *pace) open(now time.Time) {
	p.opened = true
	p.jump, p.creep = rise{}, rise{}
	if share := p.start.share(); p.start.sent[requests] >= known && share > shownChance && !p.tells() {
		p.suppose(share, float64(p.start.refused)/p.start.sent[requests])
		if share > trifle {
			p.again = now
		}
	}
}

// measure begins to measure how much is accepted. Meanwhile it sends no more than accepted requests
// in flight at a time, each of which takes latency seconds.
func (p *pace) measure(accepted, latency float64, now time.Time) {
	if before := p.start.sent[requests] - p.jump.sent[requests]; !p.opened && before >= known && !p.tells() {
		p.suppose(float64(p.start.bad-p.jump.bad)/before, float64(p.start.refused-p.jump.refused)/before)
	}
	p.opened = true
	p.from, p.phase, p.began = p.rate, measuring, now
	if p.jump.refused == 0 {
		return // perhaps an outage, which is for the breaker
	}
	rate := max(1, accepted) / latency
	p.rate = charge{requests: rate, tokens: rate * p.jump.sent[tokens] / p.jump.sent[requests]}
}

// meet holds to a part of what was sent a second when the limit was met. So many processes use the
// limit that measuring it would have most of what they send refused. It shows by itself, from one
// refusal to the next.
func (p *pace) meet(sent float64, now time.Time) {
	p.opened = true
	rate := max(leastRate, beginAt*sent)
	p.climb.empty(p.lulls.busy(now))
	p.holdAt(charge{requests: rate, tokens: rate * p.jump.sent[tokens] / p.jump.sent[requests]}, true, now)
	p.climb.stepped = p.next
}

// measured reports whether enough was seen.
func (p *pace) measured(now time.Time) bool {
	took := now.Sub(p.began)
	return p.phase == measuring && (took >= measureFor && p.jump.accepted[requests] >= enough || took >= measureMost)
}

// doubt decides what to do about a rise. overall is the share of bad sends since the phase began.
func (p *pace) doubt(overall float64, now time.Time) {
	share := p.jump.share()
	switch {
	case p.jump.sent[requests] == 0:
		return
	case p.phase == measuring && share <= trifle && !p.tells():
		p.believe(share, float64(p.jump.refused)/p.jump.sent[requests], now)
		return
	}
	if p.phase == paced {
		p.from = p.rate
	}
	if share < cluster && overall <= flukes*p.shown() {
		p.believe(overall, p.turned, now) // as many as ever, some of them close together
		return
	}
	if p.phase == paced {
		p.climb.met(p.rate[requests], p.lulls.busy(now))
	}
	p.climb.empty(p.lulls.busy(now))
	p.lower(overall, now)
}

// lower cuts the rate below what was accepted, to see whether bad sends become rarer.
func (p *pace) lower(overall float64, now time.Time) {
	before, took := p.jump.sample, p.jump.seconds()
	p.cut = cut{before: before, chance: p.shown(), inVain: p.cut.inVain}
	for r := range p.rate { // of all that is sent, also of what says nothing
		sent := before.all() * before.sent[r] / took
		p.cut.accepted[r] = before.all() * before.accepted[r] / took
		if p.rate[r] = p.cutTo * p.cut.accepted[r]; before.accepted[requests] < enough {
			p.rate[r] = max(p.rate[r], cutAtMost*sent)
		}
	}
	if raise := leastRate / p.rate[requests]; raise > 1 {
		p.rate.scale(raise)
	}
	p.cut.expect(overall, p.rate[requests])
	if before.refused >= certain && before.refusedShare() > 2*mostChance && before.accepted[requests] >= enough {
		p.settle(now)
		return
	}
	p.enter(comparing, now)
}

// settle holds to what was accepted before the cut, which is a limit.
func (p *pace) settle(now time.Time) {
	before := &p.cut.before
	// The limit may well be higher if too little was seen, if it is counted in long windows, or if
	// most bad sends failed and were not refused.
	eager := before.accepted[requests] < enough || p.climb.windowed() ||
		2*before.refused < before.bad && p.rate[requests] < wellBelow*p.from[requests]
	p.rate.scale(settleAt / p.cutTo)
	p.holdAt(p.rate, eager, now)
}

// holdAt holds to a rate from here on. eager says to climb at once.
func (p *pace) holdAt(rate charge, eager bool, now time.Time) {
	p.rate, p.limits = rate, true
	p.cut.settled()
	p.climb.begin(rate[requests], eager)
	p.enter(paced, now)
}

// conclude ends a cut.
func (p *pace) conclude(v verdict, now time.Time) {
	switch v {
	case isLimit:
		p.settle(now)
	case isChance:
		if p.cut.inVain++; p.limits && p.cut.inVain < vain && p.jump.sent[requests] > 0 {
			p.lower(p.jump.share(), now)
			return
		}
		bad, refusals := p.cut.shares()
		p.believe(bad, refusals, now)
	case isWorse:
		p.lower(p.jump.share(), now)
	}
}

// suppose takes a share for chance. refusals is the part of it that was refused.
func (p *pace) suppose(share, refusals float64) {
	p.chance = min(max(share, leastChance), mostChance)
	p.most, p.turned = p.chance, min(refusals, p.chance)
}

// believe takes a share for chance, and goes back to the rate before.
func (p *pace) believe(share, refusals float64, now time.Time) {
	p.suppose(share, refusals)
	p.cut.inVain = 0
	p.again = now.Add(p.interval)
	p.interval = min(2*p.interval, mostRetest)
	p.restore(now)
}

// retest sends less for a while, to see whether what passes for chance becomes rarer.
func (p *pace) retest(s *sends, now time.Time) {
	from := max(s.oldest(), s.judged-retestOf, p.first)
	switch {
	case p.phase != unpaced || p.again.IsZero() || now.Before(p.again):
		return
	case p.chance <= shownChance:
		p.again = time.Time{}
		return
	case s.judged-from < retestOf/2:
		return // in a moment
	}
	var latest rise
	for n := from; n < s.judged; n++ {
		if e := s.get(n); e.judged.tells() {
			latest.count(n, e)
		} else {
			latest.pass(e)
		}
	}
	if latest.sent[requests] < retestOf/2 {
		return // the others say nothing
	}
	p.again, p.jump = time.Time{}, latest
	overall := p.chance
	p.from, p.chance = p.rate, leastChance
	p.lower(overall, now)
}

// free ends the holding back by rate.
func (p *pace) free(now time.Time) {
	p.rate = charge{}
	p.enter(unpaced, now)
}

// interrupt breaks off what was being found out.
func (p *pace) interrupt(now time.Time) {
	if p.phase == measuring || p.phase == comparing {
		p.restore(now)
		return
	}
	p.enter(p.phase, now)
}

// restore goes back to the rate before.
func (p *pace) restore(now time.Time) {
	p.rate = p.from
	if p.rate == (charge{}) {
		p.enter(unpaced, now)
		return
	}
	p.enter(paced, now)
}

// remember keeps what is believed while nothing is suspected.
func (p *pace) remember() {
	if p.jump.sum <= 0 {
		p.calm = p.belief
	}
}

// forget goes back to what was believed before an outage began, which looked like a limit at first.
func (p *pace) forget(now time.Time) {
	p.belief = p.calm
	p.cut.settled()
	p.climb.begin(p.rate[requests], false)
	p.climb.empty(time.Time{})
	p.enter(p.phase, now)
}

// enter begins a phase in which sends from the next one on count.
func (p *pace) enter(ph phase, now time.Time) {
	if ph != p.phase {
		p.since = p.next
	}
	p.phase, p.began, p.first = ph, now, p.next
	p.jump, p.creep = rise{}, rise{}
}
