package limiter

import (
	"math"
	"time"
)

const (
	// While a limit holds, each accepted send raises the rate by climbBy times its square root, and
	// a refused one lowers it by stepBack: in balance the refused share is climbBy / stepBack /
	// sqrt(rate), 0.5 % at 60 a second, 1.5 % at 5. A rate that is larger is raised by less of
	// itself, so that several clients of one limit come nearer to each other.
	climbBy  = 0.001
	stepBack = 0.03

	// From one refusal to the next a bucket was filled by as much as was taken out of it. So what was
	// accepted meanwhile is the limit, if that took at least tellingTime and was at least
	// tellingSends. belowLimit is the share of it that is sent.
	belowLimit   = 0.985
	tellingTime  = 1.0 // seconds
	tellingSends = 8

	// The limit may have moved. So after patience without a refusal, in which the rate was used, the
	// rate rises by firstSpeed of itself a second. The speed doubles every doubleEvery, up to
	// mostSpeed. A limit that is met again where it was is trusted for longer, up to mostPatience and
	// up to heldShare of the time for which it has held. If fewer than slow requests go out a second,
	// patience is longer in proportion, because it takes sends to tell. mostStep is the most that one
	// send raises the rate.
	leastPatience = 1.0 // seconds
	mostPatience  = 16.0
	longer        = 1.5
	heldShare     = 0.25
	slow          = 4.0
	firstSpeed    = 0.05
	doubleEvery   = 0.3 // seconds
	mostSpeed     = 1.2
	mostStep      = 0.1

	// A limit has moved when leastSaved seconds' worth more than the limit was accepted: less than
	// that may have been saved up. If the limit is counted in windows, it takes a window's worth, up
	// to mostSaved. Until then the rate rises by no more than overBase over those seconds, because
	// what is saved up hides a limit.
	leastSaved = 1.5 // seconds
	mostSaved  = 60.0
	overBase   = 3.0

	// If a refusal leaves less than between of a rate that had moved, the limit lies somewhere between
	// the two, and the rate rises again at once. That is not so if the same limit, within sameLimit,
	// was found the time before.
	between   = 0.8
	sameLimit = 0.15

	// Two cycles in which the same number was accepted, within sameWindow, are windows.
	sameWindow = 0.2

	// The rates of tokens and of requests are measured together, and nobody knows which of them is
	// limited. If sends have become heavier times larger since, and wait for tokens, only the rate of
	// tokens rises, at once, until it suffices for as many requests as before. sizeWeight is the
	// weight of a new send in the mean size, which is that of the latest fifty or so.
	heavier    = 3.0
	sizeWeight = 0.02

	// If the provider refuses requests within a limit that is told, other clients use the limit, too.
	// Each client raises its part by partUp of the limit a second, and lowers it by partDown of itself
	// at a refusal (Chiu and Jain, 1989). So all come to the same part, whatever they began with.
	partUp   = 0.01
	partDown = 0.08
)

// climb moves a rate that is held. The rate goes up as long as it is used and nothing is refused,
// and down when something is. Times are by a clock that stands still while the lane is idle,
// because a bucket may then fill to the brim.
type climb struct {
	since    time.Time // the last refusal: the bucket was empty
	accepted charge    // since
	stepped  int       // sends with lower numbers went out before the last step back

	patience float64   // seconds
	limit    float64   // requests a second, as measured last
	held     time.Time // since when the limit has not moved
	used     float64   // seconds in which the rate was used since the last refusal
	base     float64   // the rate when patience ended
	excess   float64   // requests accepted beyond it since
	moved    bool      // the limit is not where it was
	size     float64   // mean tokens of a send
	sized    float64   // how many sends that was taken from
	was      float64   // size when the rate was measured
	heavy    bool      // sends have become so much larger that they wait for tokens

	farther float64 // how many times more slowly it rises than it would alone
	below   float64 // the share that is sent of a limit that was met

	saved  float64 // seconds of the limit that may be saved up
	window float64 // requests accepted in the last cycle; 0: none yet
}

func newClimb() climb {
	return climb{patience: leastPatience, saved: leastSaved, farther: 1, below: belowLimit}
}

// begin holds to a rate that was measured just now. eager says to rise at once.
func (c *climb) begin(rate float64, eager bool) {
	c.heavy, c.was = false, c.size
	c.restart(rate, eager)
}

// empty notes that the provider's bucket was empty at a moment. The zero time says that no such
// moment is known.
func (c *climb) empty(at time.Time) { c.since, c.accepted = at, charge{} }

func (c *climb) restart(rate float64, eager bool) {
	c.used, c.base, c.excess, c.moved = 0, rate, 0, eager
}

func (c *climb) accept(e *send) {
	c.accepted[requests]++
	c.accepted[tokens] += e.tokens
}

// meet takes in the size of a send, whatever became of it. The accepted ones alone would not do: if
// tokens are limited, more of them are small.
func (c *climb) meet(e *send) {
	c.sized++
	c.size += max(1/c.sized, sizeWeight) * (e.tokens - c.size)
}

// weigh finds out whether sends have become larger, and returns how many a second the rate allows.
func (c *climb) weigh(rate *charge) float64 {
	if c.size == 0 || rate[tokens] == 0 {
		return rate[requests]
	}
	allowed := rate[tokens] / c.size
	switch larger := rate[requests] / allowed; {
	case larger <= 1 && c.heavy:
		c.heavy, c.was = false, c.size
	case larger > 1 && c.size > heavier*c.was && !c.heavy:
		c.heavy = true
		c.restart(allowed, true)
	}
	if c.heavy {
		return allowed
	}
	return rate[requests]
}

// scale multiplies a rate, or only its tokens if those are what sends wait for.
func (c *climb) scale(rate *charge, by float64) {
	if c.heavy {
		rate[tokens] *= by
		return
	}
	rate.scale(by)
}

// wait is how long a rate must have been used before it rises, in seconds.
func (c *climb) wait(rate float64) float64 { return c.patience * c.farther * max(1, slow/rate) }

// windowed reports whether the limit is counted in windows.
func (c *climb) windowed() bool { return c.saved > leastSaved }

// up raises a rate that an accepted send had to wait for. told is the limit that somebody told.
func (c *climb) up(rate *charge, told charge) {
	r := c.weigh(rate)
	if limit := told[requests]; limit > 0 {
		c.scale(rate, min(1+partUp*limit/r/r, max(1, limit/r)))
		return
	}
	c.scale(rate, 1+min(c.speed(r)/r, mostStep))
}

// speed returns by which part of itself a rate rises a second.
func (c *climb) speed(rate float64) float64 {
	wait := c.wait(rate)
	if c.moved {
		wait = 0
	}
	c.used += 1 / rate
	c.base = min(c.base, rate)
	speed := climbBy * math.Sqrt(rate) * leastSaved / c.saved
	if c.used <= wait {
		c.base = rate
		return speed
	}
	c.excess += 1 - c.base/rate
	if c.excess > c.saved*c.base {
		c.base, c.excess, c.moved = rate, 0, true
	}
	if !c.moved && rate > (1+overBase/c.saved)*c.base {
		return 0
	}
	most := mostSpeed / c.farther
	switch {
	case c.farther == 1:
	case c.limit == 0: // the rate may be far below the limit
		return most
	default:
		most /= c.farther
	}
	return min(max(speed, firstSpeed/c.farther)*math.Exp2((c.used-wait)/doubleEvery/c.farther), most)
}

// down lowers a rate because a send of the time now was refused. It returns the factor.
func (c *climb) down(rate *charge, told charge, now time.Time) (by float64) {
	r, eager := c.weigh(rate), false
	if told[requests] > 0 {
		c.scale(rate, 1-partDown)
		return 1 - partDown
	}
	by = 1 - stepBack
	switch took := now.Sub(c.since).Seconds(); {
	case !c.since.IsZero() && took >= tellingTime && c.accepted[requests] >= tellingSends:
		limit := c.accepted[requests] / took
		by = min(1, c.below*limit/r)
		eager = c.moved && by < between && math.Abs(limit/c.limit-1) > sameLimit
		c.limit = limit
	case c.moved || c.used > c.wait(r):
		by = min(by, belowLimit*c.base/r)
	}
	c.met(r, now)
	c.restart(r*by, eager)
	c.scale(rate, by)
	return by
}

// met notes that the limit was met at a rate.
func (c *climb) met(rate float64, now time.Time) {
	c.empty(now)
	switch {
	case c.moved:
		c.held = now
		c.patience = max(leastPatience, c.saved-leastSaved)
	case c.used > c.wait(rate):
		trust := max(c.patience, heldShare*now.Sub(c.held).Seconds())
		c.patience = min(longer*c.patience, max(mostPatience, 4*c.saved), trust)
	}
}

// cycle takes in how many requests were accepted in how many seconds, from the end of one long hold
// to the end of the next. It reports whether that is a window in which the limit is counted. A
// cycle that came only once, without a hint, may have been an outage.
func (c *climb) cycle(seconds, accepted float64, hinted bool) bool {
	windows := hinted || c.window > 0 && math.Abs(accepted/c.window-1) < sameWindow
	c.window = accepted
	if windows {
		c.saved = min(max(c.saved, seconds), mostSaved)
		c.patience = max(c.patience, 2*c.saved)
	}
	return windows
}

// scale multiplies all of c.
func (c *charge) scale(by float64) {
	for r := range c {
		c[r] *= by
	}
}
