package limiter

import "time"

// places is how many requests a server takes at once, if it refuses the next one.
type places struct {
	known bool
	n     float64 // that were taken
	try   float64 // that are tried
	step  float64
	from  int  // the first send of the try
	over  bool // more than n were in flight in it
	again time.Time
	rest  time.Duration

	denied time.Time // until then refusals are not for want of places
	since  time.Time // when that was said last
	denial time.Duration
}

// trying reports whether a try is under way.
func (p *places) trying() bool { return p.known && p.try > p.n }

// grow tries more places than were taken, after a round in which all were in use.
func (c *concurrency) grow(next int, now time.Time) {
	p := &c.places
	if p.trying() || now.Before(p.again) {
		return
	}
	p.try, p.from, p.over = min(c.most, p.n+p.step), next, false
	c.set(p.try)
}

// answered takes in that p was answered: if as many as are tried were in flight, the server has the
// places. That p was not refused yet would not show it, for a refusal may take long.
func (c *concurrency) answered(p *Permit) {
	t := &c.places
	if t.trying() && p.n >= t.from && float64(p.tries) >= t.try {
		t.n, t.step, t.rest = t.try, 2*t.step, leastRest
	}
}

// explains reports whether a try explains that e is bad. Such a send must not be taken for a sign of
// a limit of the rate.
func (p *places) explains(e *send) bool { return e.tries && p.over && e.judged.bad() }

// refuse takes in that n was refused or failed, as soon as that is known. It ends the try that n
// was part of.
func (c *concurrency) refuse(n int, latency float64, now time.Time) {
	p := &c.places
	if !p.trying() || n < p.from {
		return
	}
	most := max(mostRest, time.Duration(restRounds*latency*float64(time.Second)))
	p.again, p.rest = now.Add(p.rest), min(2*p.rest, most)
	p.try, p.step = p.n, 1
	c.set(p.n)
}

// placeable reports whether refusals may be for want of places.
func (c *concurrency) placeable(now time.Time) bool {
	return !c.fixed && !now.Before(c.places.denied)
}

// suppose holds the lane to n places, if none are known and nothing speaks against it. It reports
// whether it did.
func (c *concurrency) suppose(n int, now time.Time) bool {
	if !c.placeable(now) || c.places.known {
		return false
	}
	c.confine(n, now)
	return true
}

// confine holds the lane to n requests at once, as many as the server took. It is called only if
// refusals are placeable.
func (c *concurrency) confine(n int, now time.Time) {
	p := &c.places
	p.known, p.n, p.try, p.step, p.again, p.rest = true, float64(n), float64(n), 1, now.Add(leastRest), leastRest
	c.free = 0
	c.newRound()
	c.set(float64(n))
}

// deny notes that more was refused than the supposed places explain.
func (c *concurrency) deny(now time.Time) {
	p := &c.places
	if !p.known {
		return
	}
	p.known = false
	p.denial = min(max(2*p.denial, firstDenial), mostDenial)
	p.denied, p.since = now.Add(p.denial), now
}

// undeny takes back a denial from the seconds before an outage, because the outage was its cause.
func (c *concurrency) undeny(now time.Time) {
	if p := &c.places; p.denied.After(now) && now.Sub(p.since) < justBefore {
		p.known, p.denied, p.denial = true, time.Time{}, 0
	}
}

const (
	// If a server has only so many places, the number of accepted requests in flight tells bad sends
	// from accepted ones. separates is how well it must do so, as Youden's J (1950): the share of bad
	// sends at or above a number, less the share of accepted ones. fewMore, divided by the number of
	// bad sends, is added to that: a few may all have been above the number by chance.
	separates = 0.75
	fewMore   = 0.6

	// An accepted send counts only if one of the near sends before or after it was bad, within the
	// time in which places become free. What was sent at another rate, or into a full bucket, says
	// nothing.
	near = 3

	// fewest is how many bad sends there must be, and how many accepted ones.
	fewest = 5
)

// placesTaken returns how many requests a server takes at once, if the sends from a number on show
// that it refuses any more; 0 if they do not.
func (s *sends) placesTaken(from int, latency time.Duration) int {
	from = max(from, s.oldest())
	var bad, fine [remembered + 1]int // sends by how many accepted ones were in flight
	bads, fines := 0, 0
	for n := from; n < s.judged; n++ {
		e := s.get(n)
		if e.judged.bad() {
			bad[s.beside(n)]++
			bads++
		} else if e.judged == good && s.nearBad(n, latency) {
			fine[s.beside(n)]++
			fines++
		}
	}
	if bads < fewest || fines < fewest {
		return 0
	}
	best, places := separates+fewMore/float64(bads), 0
	badAbove, fineAbove := 0, 0
	for n := remembered; n > 0; n-- {
		badAbove += bad[n]
		fineAbove += fine[n]
		if j := float64(badAbove)/float64(bads) - float64(fineAbove)/float64(fines); j > best {
			best, places = j, n
		}
	}
	return places
}

// nearBad reports whether a bad send is near n.
func (s *sends) nearBad(n int, latency time.Duration) bool {
	for m := max(s.oldest(), n-near); m <= min(n+near, s.judged-1); m++ {
		if apart := s.get(n).at.Sub(s.get(m).at).Abs(); s.get(m).judged.bad() && apart < 2*latency {
			return true
		}
	}
	return false
}

// beside is how many accepted requests were in flight when n was sent, or were sent at the same
// moment: only the server knows in which order those arrived.
func (s *sends) beside(n int) (count int) {
	at := s.get(n).at
	for m := s.oldest(); m < s.next && (m < n || s.get(m).at.Equal(at)); m++ {
		if e := s.get(m); m != n && e.judged == good && (e.ended.IsZero() || e.ended.After(at)) {
			count++
		}
	}
	return count
}
