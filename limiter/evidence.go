package limiter

import (
	"math"
	"time"
)

const (
	// A rise of the share of bad sends is one by jump, which a limit that is passed makes, or by
	// creep, which a limit that is just passed makes.
	jump  = 0.15
	creep = 0.03

	// alarm is the sum that a share which does not rise reaches once in thousands of sends.
	alarm = 7.0
)

// A rise is looked for in the share of bad sends (Page's CUSUM, 1954): the sum of the logarithms of
// likelihood ratios, which is never less than nothing, reaches alarm. It counts what came since it
// was nothing, for that is when the share most likely rose.
type rise struct {
	sum float64
	sample
}

// add takes in the send n, and reports whether the share has risen from one value to another.
func (r *rise) add(n int, e *send, from, to float64) bool {
	if r.sum <= 0 {
		*r = rise{}
		if !e.judged.bad() {
			return false
		}
	}
	r.count(n, e)
	r.sum += likelihood(e.judged.bad(), from, to)
	return r.sum >= alarm
}

// likelihood is the logarithm of how much more likely a send is if the share of bad ones is to than
// if it is from.
func likelihood(bad bool, from, to float64) float64 {
	if bad {
		return math.Log(to / from)
	}
	return math.Log((1 - to) / (1 - from))
}

// A sample is some sends in a row.
type sample struct {
	from     int       // number of the first
	at, last time.Time // when the first and the last were sent, idle times left out
	bad      int
	refused  int
	sent     charge
	accepted charge
}

func (s *sample) count(n int, e *send) {
	if s.at.IsZero() {
		s.from, s.at = n, e.busy()
	}
	s.last = e.busy()
	s.sent[requests]++
	s.sent[tokens] += e.tokens
	switch e.judged {
	case refused:
		s.refused++
		s.bad++
	case failed:
		s.bad++
	default:
		s.accepted[requests]++
		s.accepted[tokens] += e.tokens
	}
}

// share is how much of it was bad.
func (s *sample) share() float64 { return float64(s.bad) / max(1, s.sent[requests]) }

// refusedShare is the share of refusals alone.
func (s *sample) refusedShare() float64 { return float64(s.refused) / max(1, s.sent[requests]) }

// seconds is how long it took to send it, the wait before the next one included, idle times left
// out.
func (s *sample) seconds() float64 {
	n := s.sent[requests]
	return max(s.last.Sub(s.at).Seconds()*(n+1)/max(1, n), 0.01)
}

const (
	// If sending less makes a difference, limited of the bad sends beyond chance are left. If not,
	// remains of them are where their share was taken from an alarm, at which it looks larger than
	// it is, and stay of them where it was taken from many.
	limited = 0.05
	remains = 0.5
	stay    = 0.75

	// A share of cluster or more at an alarm is taken from the alarm, one below it from all that is
	// remembered: by itself an alarm says little of a small share.
	cluster = 0.15

	// leastExcess is the smallest share beyond chance that is compared.
	leastExcess = 0.004

	// sure is the logarithm of the likelihood ratio that decides. For a limit hasty is enough where
	// fewer than quick go out a second: to be wrong about one is found out, for the cut goes on
	// being compared.
	sure  = 4.0
	hasty = 2.5
	quick = 50.0

	leastCompared = 8

	// So many bad sends, and worseBy times the share of chance more, are worse than chance.
	worseFrom = 4
	worseBy   = 20
)

// verdict is what comes of a cut.
type verdict uint8

const (
	undecided verdict = iota
	isLimit           // less was refused
	isChance          // it made no difference
	isWorse           // so much is refused that it cannot be chance: the cut was not deep enough
)

// A cut sends less, to see whether bad sends become rarer: Wald's sequential test (1945) between
// the share that a limit would leave of them and the share that chance would.
type cut struct {
	before   sample
	accepted charge  // a second, before it
	chance   float64 // the share that was known to be by chance
	few      float64 // the share that is left if it is a limit
	many     float64 // if it is chance
	enough   float64 // the sum that decides for a limit

	sum    float64
	after  sample
	inVain int // cuts in a row that made no difference while a limit was held
}

// expect sets what is compared: overall is the share of bad sends of all that is remembered, and
// rate what goes out a second from here on.
func (c *cut) expect(overall, rate float64) {
	share, stays := c.before.share(), remains
	if share < cluster {
		share, stays = max(overall, 2*c.chance), stay
	}
	excess := max(share-c.chance, leastExcess)
	c.few = c.chance + limited*excess
	c.many = max(min(c.chance+stays*excess, mostChance), 1.5*c.few)
	if c.enough = hasty; rate >= quick {
		c.enough = sure
	}
}

// add takes in the send n after the cut.
func (c *cut) add(n int, e *send) verdict {
	c.after.count(n, e)
	c.sum = max(c.sum+likelihood(e.judged.bad(), c.few, c.many), -c.enough)
	// Failures may be as many as they like: half of all records may be poisoned.
	tooMany := c.after.refusedShare() > mostChance+c.chance
	switch {
	case float64(c.after.refused) >= worseFrom+worseBy*c.chance && tooMany:
		return isWorse
	case c.after.sent[requests] < leastCompared:
	case c.sum <= -c.enough:
		return isLimit
	case c.sum >= sure && !tooMany:
		return isChance
	}
	return undecided
}

// settled makes the cut one that has shown a limit.
func (c *cut) settled() { c.sum, c.inVain = -c.enough, 0 }

// shares are those of bad sends and of refusals, before and after the cut.
func (c *cut) shares() (bad, refused float64) {
	sent := c.before.sent[requests] + c.after.sent[requests]
	return float64(c.before.bad+c.after.bad) / sent, float64(c.before.refused+c.after.refused) / sent
}
