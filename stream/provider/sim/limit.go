package sim

import (
	"net/http"
	"strconv"
	"time"
)

// limit bounds how much of one thing may be spent. It is not safe for concurrent use.
type limit struct {
	course course
	meter  meter // nil when there is no limit
}

// meter is a way to enforce a limit.
type meter interface {
	// advance moves the meter to a time, which is counted from the simulator's start.
	advance(now time.Duration)
	// wait returns the time until there is room for a charge; 0 if there is room now. If nothing was
	// spent, there is room for any charge, because a large one would otherwise wait for ever.
	wait(charge int) time.Duration
	spend(charge int)
	// left returns what may be spent now, and full the time until all that may be spent is there.
	left() float64
	full() time.Duration
}

// dust is how much the arithmetic of a meter may lose in rounding.
const dust = 1e-6

func newLimit(c course, o Options) limit {
	switch {
	case c.limit <= 0:
		return limit{}
	case o.Window > 0 && o.Sliding:
		return limit{c, &slidingWindow{course: c, length: o.Window}}
	case o.Window > 0:
		return limit{c, &fixedWindow{course: c, length: o.Window}}
	}
	return limit{c, newBucket(c, o.Burst)}
}

func (l *limit) advance(now time.Duration) {
	if l.meter != nil {
		l.meter.advance(now)
	}
}

func (l *limit) wait(charge int) time.Duration {
	if l.meter == nil {
		return 0
	}
	return l.meter.wait(charge)
}

func (l *limit) spend(charge int) {
	if l.meter != nil {
		l.meter.spend(charge)
	}
}

// describe writes the headers that show a limit as it is now.
func (l *limit) describe(h http.Header, unit string, now time.Duration) {
	if l.meter == nil {
		return
	}
	h["X-Ratelimit-Limit-"+unit] = []string{strconv.Itoa(int(l.course.at(now)))}
	h["X-Ratelimit-Remaining-"+unit] = []string{strconv.Itoa(max(0, int(l.meter.left()+dust)))}
	h["X-Ratelimit-Reset-"+unit] = []string{durationText(l.meter.full())}
}
