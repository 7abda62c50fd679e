package sim

import (
	"math"
	"time"
)

// Change says how a limit changes after the simulator's start: it takes turns with other limits, or
// it rises. With the zero value it stays the same.
type Change struct {
	// Every is the length of a turn, or the time in which a limit rises by Rise.
	Every time.Duration
	// Turns are the limits that take turns with the limit itself, which comes first, as if others used
	// up a shared quota by turns. Each is a limit per minute above 0.
	Turns []int
	// Rise is by how much the limit per minute grows in the time Every. It grows evenly and without
	// end.
	Rise int
}

// course is a limit per minute that may change. Times are counted from the simulator's start.
type course struct {
	limit  int
	change Change
}

// at returns the limit at a time.
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

// peak returns the limit at a time or, if limits take turns, the highest of them.
func (c *course) peak(t time.Duration) float64 {
	peak := c.at(t)
	for _, turn := range c.change.Turns {
		peak = max(peak, float64(turn), float64(c.limit))
	}
	return peak
}

// most returns the largest value that the limit ever has.
func (c *course) most() int {
	if c.change.Rise > 0 {
		return math.MaxInt
	}
	return int(c.peak(0))
}

// turnEnd returns the end of the turn that a time lies in. The limit must have turns.
func (c *course) turnEnd(t time.Duration) time.Duration {
	return t.Truncate(c.change.Every) + c.change.Every
}

// granted returns the amount that the limit grants between two times.
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

// until returns how long it takes, from a time on, until the limit has granted an amount.
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

// rising solves amount = rate*x + slope*x*x/2 for x, in minutes. The formula also holds for a slope
// of 0.
func (c *course) rising(from time.Duration, amount float64) float64 {
	rate, slope := c.at(from), 0.0
	if c.change.Every > 0 {
		slope = float64(c.change.Rise) / c.change.Every.Minutes()
	}
	return 2 * amount / (rate + math.Sqrt(rate*rate+2*slope*amount))
}

func minutes(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }
