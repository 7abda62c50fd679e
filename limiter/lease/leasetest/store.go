// Package leasetest is a store of leases in memory, which grants as the script in Redis does, for
// tests in fake time.
package leasetest

import (
	"math"
	"time"

	"llmpipe/limiter/lease"
)

// A Store keeps what is shared of one lane. It is not safe for concurrent use. Times are seconds
// since it was born.
type Store struct {
	born    time.Time
	seen    float64 // when it was asked last
	lines   [lease.Resources]line
	workers map[string]*worker
	found   lease.Found
	tally   lease.Tally // since the leader asked last

	leader    string
	leads     float64 // when it asked last
	shutBy    string
	shutUntil float64
	outage    bool

	swept    float64
	count    int
	inFlight float64
}

// line is one resource.
type line struct {
	upTo  float64 // the moment up to which it has been given out
	limit float64 // as it was then
	start float64 // what a worker that asks for the first time counts as having got
	bound float64 // the lowest that any worker was told
	// hungry is how many workers could use more, and low is the least that one of them has got.
	hungry, low float64
}

// worker is what the store knows about one worker.
type worker struct {
	seen     float64
	inFlight float64
	bounds   lease.Amounts
	got      lease.Amounts
	hungry   [lease.Resources]bool
}

// dust is the amount that arithmetic may lose.
const dust = 1e-6

// Ask answers what a worker asks for at a moment.
func (s *Store) Ask(id string, a lease.Ask, clock time.Time) lease.Grant {
	now := clock.Sub(s.born).Seconds()
	if now < s.seen { // the clock went back: the lane's time stands still
		now = s.seen
		s.born = clock.Add(-seconds(now))
	}
	if s.workers == nil || now-s.seen > lease.Missing.Seconds() {
		*s = Store{born: clock, workers: map[string]*worker{}, swept: -1}
		for r := range s.lines {
			s.lines[r].upTo = lease.Slice.Seconds()
		}
		now = 0
	}
	s.seen = now
	w := s.workers[id]
	if w == nil {
		w = &worker{}
		s.workers[id] = w
		s.swept = -1
	}
	w.seen, w.bounds, w.inFlight = now, a.Bounds, a.InFlight
	if now-s.swept > lease.Sweep.Seconds() {
		s.sweep(now)
	}
	g := lease.Grant{Workers: s.count, InFlight: s.inFlight}
	s.lead(id, a, &g, now)
	s.shut(id, a.Shut, &g, now)
	found := lease.Amounts{lease.Requests: s.found.Requests, lease.Tokens: s.found.Tokens}
	for r := range s.lines {
		l := &s.lines[r]
		l.bound = lowest(l.bound, a.Bounds[r])
		g.Limits[r] = lowest(l.bound, found[r])
		l.move(g.Limits[r], now)
		if l.limit > 0 {
			g.Parcels[r] = l.give(r, w, a.Want[r], a.Least[r], now)
		}
	}
	return g
}

// sweep looks at all workers, and forgets those that are gone.
func (s *Store) sweep(now float64) {
	s.swept, s.count, s.inFlight = now, 0, 0
	for r := range s.lines {
		s.lines[r].bound, s.lines[r].hungry, s.lines[r].low = 0, 0, 0
	}
	for id, w := range s.workers {
		if now-w.seen > lease.Missing.Seconds() {
			delete(s.workers, id)
			continue
		}
		s.count++
		for r := range s.lines {
			l := &s.lines[r]
			l.bound = lowest(l.bound, w.bounds[r])
			if w.hungry[r] && now-w.seen <= lease.Away.Seconds() {
				if l.hungry == 0 || w.got[r] < l.low {
					l.low = w.got[r]
				}
				l.hungry++
			}
		}
		if now-w.seen <= lease.Away.Seconds() {
			s.inFlight += w.inFlight
		}
	}
}

// lowest is the lower one of two limits, each 0 for none.
func lowest(a, b float64) float64 {
	if a > 0 && b > 0 {
		return min(a, b)
	}
	return max(a, b)
}

// lead keeps one of the workers that have something to send as leader.
func (s *Store) lead(id string, a lease.Ask, g *lease.Grant, now float64) {
	s.tally.Add(a.Seen)
	switch {
	case s.leader == id && !a.Busy:
		s.leader = ""
	case s.leader == id:
		s.leads = now
		if a.Leads {
			s.found = a.Found
		}
	case a.Busy && (s.leader == "" || now-s.leads > lease.Rest.Seconds()):
		s.leader, s.leads, s.tally = id, now, lease.Tally{}
	}
	g.Found = s.found
	if g.Leads = s.leader == id; g.Leads {
		g.Seen, s.tally = s.tally, lease.Tally{}
	}
}

// shut keeps the lane shut for as long as the worker that shut it says.
func (s *Store) shut(id string, shut lease.Shut, g *lease.Grant, now float64) {
	switch {
	case shut.For > 0 && (s.shutBy == id || s.shutUntil <= now):
		s.shutBy, s.shutUntil, s.outage = id, now+shut.For.Seconds(), shut.Outage
	case shut.For == 0 && s.shutBy == id:
		s.shutBy, s.shutUntil = "", 0
	}
	if s.shutBy != id && s.shutUntil > now {
		g.Shut = lease.Shut{For: seconds(s.shutUntil - now), Outage: s.outage}
	}
}

// move takes in a new limit. If it is lower, what was given out ahead takes that much longer.
func (l *line) move(limit, now float64) {
	if l.limit > 0 && limit > 0 && l.upTo > now {
		l.upTo = now + (l.upTo-now)*l.limit/limit
	}
	l.limit = limit
}

// give gives w what it wants, as far as that is free and within its fair part. By its fair part a
// worker gets no further ahead of the hungry worker that got the least than its share of two
// slices.
func (l *line) give(r int, w *worker, want, least, now float64) lease.Parcel {
	low, sharers := l.low, l.hungry
	if l.hungry == 0 {
		low = l.start
	}
	if !w.hungry[r] {
		w.got[r] = max(w.got[r], low)
		sharers++
	}
	unused := lease.Unused.Seconds()
	if l.limit*unused < 1 {
		unused = 0
	}
	from, to := max(l.upTo, now-unused), now+lease.Slice.Seconds()
	free, fair := (to-from)*l.limit, math.Inf(1)
	if l.hungry > 0 {
		fair = low + 2*lease.Slice.Seconds()*l.limit/sharers - w.got[r]
	}
	amount := min(want, free, fair)
	if r == lease.Requests {
		amount = math.Floor(amount + dust)
	}
	switch {
	case free <= dust || fair <= dust || want <= dust:
		amount = 0
	case amount < least:
		amount = least
	}
	w.hungry[r] = want > amount+dust
	l.start = max(l.start, w.got[r])
	w.got[r] += amount
	l.upTo = from + amount/l.limit
	begin := max(0, from-now)
	return lease.Parcel{
		Amount: amount, First: min(least, amount),
		From: seconds(begin), To: seconds(max(begin, lease.Slice.Seconds())),
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
