package limiter

import (
	"math"
	"time"
)

const (
	// The share of bad sends may rise by jump, as when a limit is passed, or by creep, as when a limit
	// is only just passed.
	jump  = 0.15
	creep = 0.03

	// alarm is the sum that a share which does not rise reaches once in thousands of sends.
	alarm = 7.0
)

// A rise detects a rise in the share of bad sends (Page's CUSUM, 1954). It adds up the logarithms
// of likelihood ratios, and starts again when the sum is not above 0. There is a rise when the sum
// reaches alarm. The sample holds the sends since the sum was 0, because that is when the share
// most likely rose.
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
	silent   charge // sent between them, and say nothing
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

// pass takes in a send that says nothing. It counts only for how much was sent.
func (s *sample) pass(e *send) {
	if !s.at.IsZero() && e.judged == void {
		s.last = e.busy()
		s.silent[requests]++
		s.silent[tokens] += e.tokens
	}
}

// all is how many were sent for each one that says something.
func (s *sample) all() float64 { return 1 + s.silent[requests]/max(1, s.sent[requests]) }

// share is the share of bad sends.
func (s *sample) share() float64 { return float64(s.bad) / max(1, s.sent[requests]) }

// refusedShare is the share of refusals alone.
func (s *sample) refusedShare() float64 { return float64(s.refused) / max(1, s.sent[requests]) }

// seconds is how long it took to send the sample, with the wait for the next send and without idle
// times.
func (s *sample) seconds() float64 {
	n := s.sent[requests] + s.silent[requests]
	return max(s.last.Sub(s.at).Seconds()*(n+1)/max(1, n), 0.01)
}

const (
	// If sending less makes a difference, the share limited of the bad sends beyond chance is left. If
	// it makes none, the share stay is left of what was seen in many sends. Of what was seen at an
	// alarm, the share remains is left, because a share looks larger at an alarm than it is.
	limited = 0.05
	remains = 0.5
	stay    = 0.75

	// A share of cluster or more at an alarm is taken from the alarm. A smaller share is taken from
	// all sends that are remembered, because an alarm alone says little about a small share.
	cluster = 0.15

	// leastExcess is the smallest share beyond chance that is compared.
	leastExcess = 0.004

	// sure is the logarithm of the likelihood ratio that decides. For a limit, hasty is enough if
	// fewer than quick requests go out a second. A wrong decision for a limit is found out, because
	// the comparison goes on.
	sure  = 4.0
	hasty = 2.5
	quick = 50.0

	leastCompared = 8

	// It takes worseFrom refusals, plus worseBy times the share of chance, for a cut to have shown
	// that refusals are worse than chance.
	worseFrom = 4
	worseBy   = 20
)

// verdict is what a cut has shown.
type verdict uint8

const (
	undecided verdict = iota
	isLimit           // bad sends became rarer
	isChance          // it made no difference
	isWorse           // too much is refused for chance: the cut was not deep enough
)

// A cut sends less, to see whether bad sends become rarer. It is Wald's sequential test (1945)
// between the share of them that a limit would leave and the share that chance would leave.
type cut struct {
	before   sample
	accepted charge  // a second, before the cut
	chance   float64 // the share that was known to be by chance
	few      float64 // the share that is left if there is a limit
	many     float64 // the share that is left if it is chance
	enough   float64 // the sum that decides for a limit

	sum    float64
	after  sample
	inVain int // cuts in a row that made no difference while a limit was held
}

// expect sets what is compared. overall is the share of bad sends among all that are remembered,
// and rate is how many requests go out a second from here on.
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
	// Only refusals can be too many: half of all records may be poisoned, and fail.
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

// settled marks the cut as one that has shown a limit.
func (c *cut) settled() { c.sum, c.inVain = -c.enough, 0 }

// shares returns the shares of bad sends and of refusals, before and after the cut together.
func (c *cut) shares() (bad, refused float64) {
	sent := c.before.sent[requests] + c.after.sent[requests]
	return float64(c.before.bad+c.after.bad) / sent, float64(c.before.refused+c.after.refused) / sent
}
