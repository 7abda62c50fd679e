package limiter

import "time"

const (
	// startConcurrency is what a lane begins with: few enough for any provider. If the user told an
	// RPM, it may begin with a second's worth of that.
	startConcurrency = 8

	// busyShare is how full the lane must have been for a round to say anything.
	busyShare = 0.8

	minRound = 4

	// If a server has only so many places, one more is tried after leastRest, and twice as many after
	// each try that is taken. A try that is refused is repeated after twice the time, up to mostRest
	// or restRounds times what an answer takes, whichever is longer.
	leastRest  = time.Second
	mostRest   = 16 * time.Second
	restRounds = 16

	// If places were supposed and do not explain what was refused, they are not supposed again for
	// firstDenial, then for twice that, up to mostDenial. A denial is taken back if an outage begins
	// within justBefore.
	firstDenial = 30 * time.Second
	mostDenial  = 10 * time.Minute
	justBefore  = 5 * time.Second
)

// concurrency finds how many requests may be in flight at once. Rounds of answers raise it, as long
// as more in flight bring more answers; a server that has only so many places lowers it.
type concurrency struct {
	fixed bool
	most  float64
	bound float64 // most, except while several workers start together
	limit float64
	goal  float64 // what limit grows to, by one an answer

	ghosts ghosts

	round int // answers
	peak  int // most in flight in the round

	free   float64 // below it a round doubles without a trial: it was good before an outage
	places places
	trial  trial
}

func newConcurrency(c Config) concurrency {
	if c.Concurrency > 0 {
		return concurrency{fixed: true, limit: float64(c.Concurrency), goal: float64(c.Concurrency)}
	}
	most := float64(c.MaxConcurrency)
	start := min(most, max(startConcurrency, float64(c.RPM)/60))
	return concurrency{most: most, bound: most, limit: start, goal: start, places: places{rest: leastRest}}
}

// among makes all workers together start as one would start alone.
func (c *concurrency) among(workers int, start bool) {
	if c.fixed {
		return
	}
	if c.most = c.bound; start {
		c.most = max(1, c.bound/float64(max(1, workers)))
		if c.limit > c.most || c.goal > c.most {
			c.limit, c.goal = min(c.limit, c.most), min(c.goal, c.most)
		}
	}
}

func (c *concurrency) allowed() int { return max(1, int(c.limit)) }

func (c *concurrency) wait(inFlight int, now time.Time) time.Duration {
	if inFlight+c.ghosts.count(now) < c.allowed() {
		return 0
	}
	return c.ghosts.wait(now)
}

// settled reports whether the lane's first growth is over.
func (c *concurrency) settled() bool {
	return c.fixed || c.limit >= c.most || c.trial.failed || c.places.known
}

// grant takes in that p is sent, as the send e.
func (c *concurrency) grant(p *Permit, e *send) {
	if c.places.trying() {
		p.tries, e.tries = p.inFlight, true
		c.places.over = c.places.over || float64(p.inFlight) > c.places.n
	}
	taken := p.inFlight + c.ghosts.count(p.sent)
	p.inFlight = taken
	c.peak = max(c.peak, taken)
	c.trial.grant(p, c.limit >= c.goal && taken >= c.allowed())
}

// answer takes in an answer of any kind. tokens are all those of a success.
func (c *concurrency) answer(p *Permit, tokens float64, took time.Duration, l *Limiter) {
	if c.fixed {
		return
	}
	if c.limit < c.goal {
		c.limit = min(c.goal, c.limit+1)
	}
	c.trial.add(p, tokens, took)
	if c.round++; float64(c.round) < max(c.limit/2, minRound) {
		return
	}
	busy := float64(c.peak) >= busyShare*float64(c.allowed())
	c.newRound()
	switch {
	case !busy:
	case c.limit < c.goal:
	case c.limit < c.free:
		c.set(min(2*c.limit, c.free))
	case c.places.known:
		c.grow(l.sends.next, l.now)
	case l.pace.phase == unpaced || l.pace.phase == paced:
		c.set(c.trial.next(c.limit, l))
	}
}

// resume starts again after an outage, at half of what was good before it, and may double back. An
// outage that began with a growth, and was over at the first probe, was caused by the growth.
func (c *concurrency) resume(atOnce bool) {
	if c.fixed {
		return
	}
	c.newRound()
	if before := c.trial.before; atOnce && before > 0 && before < c.limit {
		c.trial.before, c.trial.failed = 0, true
		c.set(before)
		return
	}
	c.free = max(c.free, c.limit)
	c.set(c.limit / 2)
}

func (c *concurrency) newRound() { c.round, c.peak = 0, 0 }

func (c *concurrency) set(limit float64) {
	limit = min(c.most, max(1, limit))
	if limit != c.goal {
		c.goal, c.limit = limit, min(c.limit, limit)
		c.trial.restart()
	}
}

// ghosts are the places of requests that were refused, until they would have been answered. A
// refusal is quick: a lane that filled its place at once would only be refused as quickly again.
type ghosts struct {
	ends        [256]time.Time // a ring
	first, next int
}

func (g *ghosts) add(until time.Time) {
	if g.next-g.first == len(g.ends) {
		g.first++
	}
	g.ends[g.next%len(g.ends)] = until
	g.next++
}

func (g *ghosts) count(now time.Time) int {
	for g.first < g.next && !g.ends[g.first%len(g.ends)].After(now) {
		g.first++
	}
	return g.next - g.first
}

// wait is how long until the first is gone.
func (g *ghosts) wait(now time.Time) time.Duration {
	if g.first == g.next {
		return forever
	}
	return g.ends[g.first%len(g.ends)].Sub(now)
}

// Backlog counts the answers that a caller has got and has not put away yet. While the caller's
// disk is slow they grow in number, and they would be lost with the process. So they count as in
// flight, although the provider is done with them. The requests in flight and the backlog together
// are at most twice what may be in flight, or as many as the caller has room for.
//
// The two methods must neither wait nor call the limiter. The caller calls [Limiter.PutAway] when
// their results have changed.
type Backlog interface {
	// Waiting is how many answers of this lane have come back and are not put away.
	Waiting() int
	// Room is how many requests may be in flight or wait; 0 for any number. One always may.
	Room() int
}

// PutAway says that answers were put away, or that there is room for more.
func (l *Limiter) PutAway() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance()
	l.pump()
}

// behind is how long to wait for the backlog: not at all, or until [Limiter.PutAway] or an answer
// ends the wait.
func (l *Limiter) behind() time.Duration {
	if l.backlog == nil {
		return 0
	}
	most := 2 * l.concurrency.allowed()
	if room := l.backlog.Room(); room > 0 {
		most = min(most, room)
	}
	if open := l.inFlight + l.backlog.Waiting(); open > 0 && open >= most {
		return forever
	}
	return 0
}
