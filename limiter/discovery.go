package limiter

import "time"

const (
	// backOff is the share of what the provider has lately accepted that is
	// sent after it refused more.
	backOff = 0.95

	// probePeriod is how long a found limit must hold, and be used, before more
	// is tried: firstProbe at first, and twice as much each further time.
	probePeriod = 10 * time.Second
	firstProbe  = 0.01
	mostProbe   = 0.5

	// A rate is measured over minPeriod at least, and until enough answers are
	// in or fullPeriod is over: a few answers of mixed sizes say little.
	minPeriod  = time.Second
	fullPeriod = 5 * time.Second
	enough     = 30

	// Who has just been cut below what was accepted, and has not grown since, is
	// refused next to nothing by a limit. Where chanceShare or more of telling
	// answers are refusals all the same, unhelpful times in a row, they come by
	// chance: what was found is forgotten, and refusals teach no rate for
	// disbelief, twice as long each further time.
	unhelpful      = 3
	telling        = 20
	chanceShare    = 0.02
	firstDisbelief = time.Minute
	mostDisbelief  = time.Hour

	// usedShare is how much of a found limit must be used before more is tried:
	// less than all, for where requests and tokens are both held, and sizes are
	// mixed, neither is used to the full.
	usedShare = 0.75
)

// discovered are the resources whose rate can be found. A refusal does not say
// which of them it is for, so both follow what is accepted, and rise together
// when one of them holds the lane.
var discovered = [...]resource{requests, tokens}

// discovery finds the rate of a provider that neither the user nor a header
// tells, from what it accepts and when it refuses. It has a say only in buckets
// without a known limit.
type discovery struct {
	since    time.Time // the period that is being measured
	accepted charge
	refused  int
	probe    float64 // share that the next probe adds

	grown     bool // since the last cut
	inVain    int  // cuts in a row that did not end the refusals
	ignore    time.Time
	disbelief time.Duration
}

// accept takes in a success.
func (d *discovery) accept(p *Permit, buckets *[resources]bucket, now time.Time) {
	for r := range d.accepted {
		d.accepted[r] += p.charged[r]
	}
	passed := now.Sub(d.since)
	if passed < probePeriod {
		return
	}
	used := false
	for _, r := range discovered {
		b := &buckets[r]
		used = used || b.found > 0 && d.accepted[r]/passed.Minutes() >= usedShare*b.limit
	}
	if used {
		d.grown = true
		for _, r := range discovered {
			buckets[r].find(buckets[r].found * (1 + d.probe))
		}
		d.probe = min(2*d.probe, mostProbe)
	}
	d.restart(now)
}

// refuse takes in a refusal that named a wait: the sign of a rate, not of a
// lack of room. What was sent before the period began is no news.
func (d *discovery) refuse(p *Permit, buckets *[resources]bucket, now time.Time) {
	passed := now.Sub(d.since)
	if p.sent.Before(d.since) || now.Before(d.ignore) {
		return
	}
	d.refused++
	answers := d.refused + int(d.accepted[requests])
	if passed < minPeriod || passed < fullPeriod && answers < enough {
		return
	}
	// One that is far from what is accepted has yet to find the limit.
	found := buckets[requests].found
	settled := found > 0 && d.accepted[requests]/passed.Minutes() >= found/2
	switch {
	case !settled || d.grown:
		d.inVain = 0
	case answers >= telling && float64(d.refused) >= chanceShare*float64(answers):
		d.inVain++
	}
	d.grown = false
	if d.inVain >= unhelpful {
		d.doubt(buckets, now)
		return
	}
	for _, r := range discovered {
		b := &buckets[r]
		rate := d.accepted[r] / passed.Minutes()
		if b.found > 0 {
			rate = min(max(rate, b.found/2), b.found)
		}
		if rate > 0 {
			b.find(max(backOff*rate, p.charged[r])) // a request a minute is the least
		}
	}
	d.probe = firstProbe
	d.restart(now)
}

// doubt forgets what was found, since keeping to it did not help.
func (d *discovery) doubt(buckets *[resources]bucket, now time.Time) {
	for _, r := range discovered {
		buckets[r].find(0)
	}
	d.disbelief = min(max(2*d.disbelief, firstDisbelief), mostDisbelief)
	d.ignore = now.Add(d.disbelief)
	d.grown, d.inVain = false, 0
	d.restart(now)
}

func (d *discovery) restart(now time.Time) {
	d.since, d.accepted, d.refused = now, charge{}, 0
}
