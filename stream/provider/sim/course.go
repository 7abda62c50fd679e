package sim

import (
	"math"
	"time"
)

// Change is how a limit moves from the simulator's start on: in turns, or it rises. With the
// zero value it stays.
type Change struct {
	// Every is the length of a turn, or the time in which a limit rises by Rise.
	Every time.Duration
	// Turns are what takes turns with the limit itself, which comes first: as where others use a
	// quota by turns. Each is a minute's limit above 0.
	Turns []int
	// Rise is how much a minute's limit grows by in the time of Every, evenly. It has no end.
	Rise int
}

// course is a minute's limit as it moves. Moments are counted from the simulator's start.
type course struct {
	limit  int
	change Change
}

// at is the limit at a moment.
func (c *course) at(t time.Duration) float64 {
	switch {
	case c.change.Every <= 0:
	case len(c.change.Turns) > 0:
		if turn := int(t/c.change.Every) % (1 + len(c.change.Turns)); turn > 0 {
			return float64(c.change.Turns[turn-1])
		}
	case c.change.Rise > 0:
		return float64(c.limit) + float64(c.change.Rise)*float64(t)/float64(c.change.Every)
	}
	return float64(c.limit)
}

// peak is the limit at a moment, or the highest of those that take turns.
func (c *course) peak(t time.Duration) float64 {
	peak := c.at(t)
	for _, turn := range c.change.Turns {
		peak = max(peak, float64(turn), float64(c.limit))
	}
	return peak
}

// most is the largest that it ever is.
func (c *course) most() int {
	if c.change.Rise > 0 {
		return math.MaxInt
	}
	return int(c.peak(0))
}

// turnEnd is when the limit of a moment ends, which has turns.
func (c *course) turnEnd(t time.Duration) time.Duration {
	return t.Truncate(c.change.Every) + c.change.Every
}

// granted is what the limit comes to between two moments.
func (c *course) granted(from, to time.Duration) (sum float64) {
	if len(c.change.Turns) == 0 {
		return (c.at(from) + c.at(to)) / 2 * (to - from).Minutes()
	}
	for from < to {
		end := min(to, c.turnEnd(from))
		sum += c.at(from) * (end - from).Minutes()
		from = end
	}
	return sum
}

// until is the time, from a moment on, in which the limit comes to an amount.
func (c *course) until(from time.Duration, amount float64) (wait time.Duration) {
	if len(c.change.Turns) == 0 {
		return minutes(c.rising(from, amount))
	}
	for {
		end := c.turnEnd(from)
		rate, part := c.at(from), (end - from).Minutes()
		if amount <= rate*part {
			return wait + minutes(amount/rate)
		}
		amount -= rate * part
		wait += end - from
		from = end
	}
}

// rising solves amount = rate*x + slope*x*x/2 for x, the minutes, in a form that holds for a slope
// of 0 as well.
func (c *course) rising(from time.Duration, amount float64) float64 {
	rate, slope := c.at(from), 0.0
	if c.change.Every > 0 {
		slope = float64(c.change.Rise) / c.change.Every.Minutes()
	}
	return 2 * amount / (rate + math.Sqrt(rate*rate+2*slope*amount))
}

func minutes(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }
