package limiter

import (
	"math"
	"time"
)

const (
	// A hold whose refusals name no time lasts firstHold at first. While nothing is accepted it
	// doubles, up to mostHold.
	firstHold = 250 * time.Millisecond
	mostHold  = 5 * time.Second

	// unlikely is how improbable a run of refusals must be, if they came by chance alone, to show that
	// nothing is accepted any more.
	unlikely = 1e-6

	// leastRun is how long a run must have been going on, because a burst beyond a limit is refused in
	// a row, too.
	leastRun = 250 * time.Millisecond

	// longHint is the least hint that holds the lane from the first refusal until the hint ends. That
	// is done only once: to be wrong about it again and again would cost everything.
	longHint = 5 * time.Second

	// briefHold is the length below which a hold may have been for want of places.
	briefHold = 2 * time.Second

	// tellingHold is how long a hold must be for the cycle that it ends to tell a rate.
	tellingHold = 500 * time.Millisecond
)

// hold stops the lane while nothing is accepted, because a bucket is empty or a window is used up.
// A single refusal does not show that: it may concern one request, one backend, or nothing at all.
// A run of refusals in the order of sending does, if nothing was accepted that was sent since the
// run began.
type hold struct {
	run    int       // refusals in a row
	from   int       // the first of them
	since  time.Time // when it was sent
	hinted time.Time // when the latest hint of the run ends

	on      bool
	until   time.Time
	length  time.Duration // of the latest hold without a hint
	strict  bool          // a hint was believed at the first refusal: only the probe ends the hold
	served  bool          // that has been done with a long hint
	probe   int           // the send that is to show whether it may end; 0: none is out
	longest time.Duration // of this cycle's holds
	beside  int           // accepted requests in flight when it began

	// A cycle goes from the end of one long hold to the end of the next, idle times left out.
	began    time.Time
	accepted charge // in it
}

func (h *hold) wait(now time.Time) time.Duration {
	switch {
	case !h.on:
		return 0
	case h.probe != 0:
		return forever
	}
	return max(0, h.until.Sub(now))
}

// grant notes that n was sent: during a hold it is the probe.
func (h *hold) grant(n int) {
	if h.on {
		h.probe = n
	}
}

// see takes in the send n, in the order of sending, and reports whether a hold ended.
func (h *hold) see(n int, e *send, chance float64, now time.Time) bool {
	switch e.judged {
	case good:
		h.accepted[requests]++
		h.accepted[tokens] += e.tokens
		return h.accept(n)
	case refused:
		h.refuse(n, e, chance, now)
	default:
		if n == h.probe { // perhaps an outage, which is for the breaker
			h.probe = 0
			h.until = now.Add(firstHold)
		}
	}
	return false
}

func (h *hold) accept(n int) bool {
	ended := h.on && n > h.from && (!h.strict || n == h.probe)
	if n > h.from {
		h.run = 0
	}
	if ended {
		h.served = h.served || h.strict && h.longest >= longHint
		h.on, h.strict, h.probe = false, false, 0
	}
	return ended
}

func (h *hold) refuse(n int, e *send, chance float64, now time.Time) {
	if h.run == 0 && !h.on {
		h.from, h.since, h.hinted = n, e.at, time.Time{}
	}
	h.run++
	if e.hinted.After(h.hinted) {
		h.hinted = e.hinted
	}
	if h.on && h.hinted.After(h.until) {
		h.until = h.hinted
	}
	switch {
	case h.on && n != h.probe:
		return // sent before the hold
	case h.on:
		h.probe = 0
	case h.hinted.Sub(now) >= longHint && !h.served:
		h.strict = true
	case e.at.Sub(h.since) < leastRun || float64(h.run) < math.Log(unlikely)/math.Log(max(chance, leastChance)):
		return
	}
	h.start(now)
}

// believe holds the lane as long as the refusal of n asked, whatever became of what was sent
// before.
func (h *hold) believe(n int, until, now time.Time) {
	if h.on || !until.After(now) {
		return
	}
	h.run, h.from, h.since, h.hinted, h.strict = 1, n, now, until, true
	h.start(now)
}

func (h *hold) start(now time.Time) {
	h.on = true
	h.until = h.hinted
	if !h.hinted.After(now) {
		h.length = min(max(2*h.length, firstHold), mostHold)
		h.until = now.Add(h.length)
	}
	h.longest = max(h.longest, h.until.Sub(now))
}

// leave gives up a hold because another limiter keeps it.
func (h *hold) leave() { h.run, h.on, h.strict, h.probe = 0, false, false, 0 }

// cycle ends a cycle, if one of its holds was long enough to tell a rate. It returns the rate, a
// second, of what was accepted in the cycle, and how many seconds the cycle took. now leaves out
// idle times.
func (h *hold) cycle(now time.Time) (rate charge, took float64, ok bool) {
	if h.longest < tellingHold || h.accepted[requests] < enough {
		h.length = 0
		return rate, 0, false
	}
	took = now.Sub(h.began).Seconds()
	for r := range rate { // without a hint, the refusing may have ended right after the probe before
		rate[r] = h.accepted[r] / max(took-h.length.Seconds(), 0.5*took)
	}
	h.restart(now)
	return rate, took, true
}

// restart begins a cycle. now leaves out idle times.
func (h *hold) restart(now time.Time) {
	h.began, h.accepted, h.longest, h.length = now, charge{}, 0, 0
}

// cache is what the lane knows of its provider's cache: whether a request that writes to it was
// answered, which is when others can read from it
// (platform.claude.com/docs/en/build-with-claude/prompt-caching).
type cache struct {
	warm    bool
	warming bool // one that writes is in flight
}

// holds reports whether r must wait until another request has written to the cache.
func (c *cache) holds(r Request) bool { return r.Warms && !c.warm && c.warming }

func (c *cache) grant(p *Permit) {
	if p.warms = p.request.Warms && !c.warm; p.warms {
		c.warming = true
	}
}

// end takes in that p has ended, and whether it was answered.
func (c *cache) end(p *Permit, answered bool) {
	if p.warms {
		c.warming, c.warm = false, answered
	}
}
