// Package leasetest is a store of leases in memory, which grants as the script in Redis does, for
// tests in fake time.
package leasetest

import (
	"math"
	"time"

	"llmpipe/limiter/lease"
)

// A Store keeps what is shared of one lane. It is not safe for concurrent use.
type Store struct {
	born    time.Time
	seen    float64       // when it was asked last; all times are seconds since born
	upTo    lease.Amounts // the moment up to which each resource has been given out
	limits  lease.Amounts // as they were then
	virtual lease.Amounts // where those begin who ask for the first time
	workers map[string]*worker
}

// worker is what is known of one.
type worker struct {
	seen   float64
	bounds lease.Amounts
	got    lease.Amounts
	hungry [lease.Resources]bool // could use more than it got last
}

// eps is what arithmetic may lose.
const eps = 1e-9

// Ask answers what a worker asks for at now.
func (s *Store) Ask(id string, a lease.Ask, clock time.Time) lease.Grant {
	now := clock.Sub(s.born).Seconds()
	if s.workers == nil || now-s.seen > lease.Missing.Seconds() {
		*s = Store{born: clock, workers: map[string]*worker{}}
		now = 0
		for r := range s.upTo {
			s.upTo[r] = lease.Slice.Seconds()
		}
	}
	s.seen = now
	w := s.workers[id]
	if w == nil {
		w = &worker{}
		s.workers[id] = w
	}
	w.seen, w.bounds = now, a.Bounds
	g := lease.Grant{Limits: s.bound(now), Workers: len(s.workers)}
	for r, limit := range g.Limits {
		s.move(r, limit, now)
		if limit > 0 {
			g.Parcels[r] = s.give(r, w, limit, a.Want[r], a.Least[r], now)
		}
	}
	return g
}

// bound is the lowest limit of those that any worker was told. It forgets those that are gone.
func (s *Store) bound(now float64) (lowest lease.Amounts) {
	for id, w := range s.workers {
		if now-w.seen > lease.Missing.Seconds() {
			delete(s.workers, id)
			continue
		}
		for r, bound := range w.bounds {
			if bound > 0 && (lowest[r] == 0 || bound < lowest[r]) {
				lowest[r] = bound
			}
		}
	}
	return lowest
}

// move takes in a new limit: what was given out ahead takes so much longer by a lower one.
func (s *Store) move(r int, limit, now float64) {
	if was := s.limits[r]; was > 0 && limit > 0 && s.upTo[r] > now {
		s.upTo[r] = now + (s.upTo[r]-now)*was/limit
	}
	s.limits[r] = limit
}

// give gives w as much as is free and its fair part.
func (s *Store) give(r int, w *worker, limit, want, least, now float64) lease.Parcel {
	lowest, others := math.Inf(1), 0
	for _, o := range s.workers {
		if o != w && o.hungry[r] && now-o.seen <= lease.Away.Seconds() {
			lowest, others = min(lowest, o.got[r]), others+1
		}
	}
	if others == 0 {
		lowest = s.virtual[r]
	}
	if !w.hungry[r] {
		w.got[r] = max(w.got[r], lowest)
	}
	unused := lease.Unused.Seconds()
	if limit*unused < 1 {
		unused = 0
	}
	from, to := max(s.upTo[r], now-unused), now+lease.Slice.Seconds()
	free, fair := (to-from)*limit, math.Inf(1)
	if others > 0 {
		fair = lowest + 2*lease.Slice.Seconds()*limit/float64(others+1) - w.got[r]
	}
	amount := min(want, free, fair)
	if r == lease.Requests {
		amount = math.Floor(amount + eps)
	}
	switch {
	case free <= eps || fair <= 0 || want <= 0:
		amount = 0
	case amount < least:
		amount = least
	}
	w.hungry[r] = want > amount+eps
	s.virtual[r] = max(s.virtual[r], w.got[r])
	w.got[r] += amount
	s.upTo[r] = from + amount/limit
	begin := max(0, from-now)
	return lease.Parcel{
		Amount: amount, First: min(least, amount),
		From: seconds(begin), To: seconds(max(begin, lease.Slice.Seconds())),
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
