package limiter

import "time"

const (
	// startConcurrency is what a lane begins with: few enough for any provider.
	// Where the user told an RPM, a second's worth of it is no presumption.
	startConcurrency = 8

	// freeConcurrency is where growth begins to need a reason.
	freeConcurrency = 32

	// busyShare is how full the lane must have been for a round to say anything.
	busyShare = 0.8

	minRound    = 4
	cutTo       = 0.8
	cutAtMost   = 0.5 // of one cut, however few were in flight at a refusal
	growBy      = 0.05
	cutInterval = 15 * time.Second
)

// concurrency finds how many requests may be in flight at once. Rounds of
// successes raise it, by doubling until the first refusal and by a twentieth
// after that; refusals cut it.
type concurrency struct {
	fixed bool
	most  float64
	limit float64

	round int // first-try successes
	peak  int // most in flight in the round

	free    float64 // below it a clean round doubles, no questions asked
	pressed bool    // there was a cut
	cuts    int
	proved  bool      // something sent since the last cut succeeded
	floor   float64   // of the current cut
	ceiling float64   // the most that was not too much
	nextCut time.Time // and until then the ceiling holds

	trial trial
}

func newConcurrency(c Config) concurrency {
	if c.Concurrency > 0 {
		return concurrency{fixed: true, limit: float64(c.Concurrency)}
	}
	most := float64(c.MaxConcurrency)
	start := min(most, max(startConcurrency, float64(c.RPM)/60))
	return concurrency{most: most, limit: start, free: freeConcurrency, proved: true}
}

func (c *concurrency) allowed() int { return max(1, int(c.limit)) }

func (c *concurrency) wait(inFlight int) time.Duration {
	if inFlight < c.allowed() {
		return 0
	}
	return forever
}

func (c *concurrency) grant(p *Permit) {
	p.cut = c.cuts
	c.peak = max(c.peak, p.inFlight)
	c.trial.grant(p, c.allowed())
}

// success takes in an answer, and its usage as one number.
func (c *concurrency) success(p *Permit, o Outcome, now time.Time) {
	c.proved = c.proved || p.cut == c.cuts
	if c.fixed || !o.FirstTry {
		return
	}
	c.trial.add(p, float64(max(1, o.PromptTokens+o.CompletionTokens)), now)
	if c.round++; float64(c.round) < max(c.limit, minRound) {
		return
	}
	busy := float64(c.peak) >= busyShare*float64(c.allowed())
	c.newRound()
	switch {
	case !busy:
	case c.limit < c.free:
		c.set(min(2*c.limit, c.free))
	case c.pressed:
		c.creep(now)
	default:
		c.set(c.trial.next(c.limit, now))
	}
}

// creep grows by a twentieth, but not to what was too much the last time until
// another cut may follow.
func (c *concurrency) creep(now time.Time) {
	to := c.limit + max(1, growBy*c.limit)
	if now.Before(c.nextCut) {
		to = max(c.limit, min(to, c.ceiling))
	}
	c.set(to)
}

// pressure takes in a refusal, which came back while inFlight were out, the
// refused one among them.
//
// A hint means that a rate was exceeded, and the pause that it asks for does
// the work. Without one the server has no room for what is in flight. Then all
// refusals of a burst that went too far belong to one cut, and the fewest in
// flight at any of them say how far it has to go; a refusal between two cuts
// takes away the place that was refused. Nothing is cut twice with no success
// between: who refuses everything does not do so because of how much it is.
func (c *concurrency) pressure(p *Permit, inFlight int, hint time.Duration, now time.Time) {
	if c.fixed {
		return
	}
	c.newRound()
	fresh := p.cut == c.cuts
	if fresh && c.proved && !now.Before(c.nextCut) {
		c.cuts++
		c.proved = false
		c.pressed, c.free = true, 0
		c.floor, c.ceiling = cutAtMost*c.limit, c.limit
		c.nextCut = now.Add(max(cutInterval, hint))
		c.set(cutTo * c.limit)
		fresh = false
	}
	if hint > 0 {
		return
	}
	room := float64(inFlight - 1)
	c.ceiling = min(c.ceiling, max(c.floor, room))
	if !fresh {
		room *= cutTo
	}
	c.set(min(c.limit, max(c.floor, room)))
}

// transient takes in a failure: nothing grows in a round that has one.
func (c *concurrency) transient() { c.newRound() }

// resume starts over after an outage, at half of what was good before it, with
// leave to double back.
func (c *concurrency) resume() {
	if c.fixed {
		return
	}
	c.free = max(c.free, c.limit)
	c.newRound()
	c.set(c.limit / 2)
}

func (c *concurrency) newRound() { c.round, c.peak = 0, 0 }

func (c *concurrency) set(limit float64) {
	limit = min(c.most, max(1, limit))
	if limit != c.limit {
		c.limit = limit
		c.trial.restart()
	}
}
