package lane

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"llmpipe/limiter"
)

// lookAround is how long a request waits in the queues of several lanes before it looks at all of
// them again. If one of the lanes has an open breaker, it is LookAgain: such a lane has no queue,
// but takes a record when its probe is due.
const lookAround = time.Second

// tryTier waits for a permit to send q in the lane of a tier that has room first. If there is
// neither a permit nor an error, closed says whether the tier's lanes are closed; otherwise some
// wait for their breakers.
func (r *Lanes) tryTier(ctx context.Context, tier []*Lane, q *Request, retry bool) (permit *limiter.Permit, closed bool, err error) {
	for {
		t, err := r.open(tier, q, retry)
		if err != nil || len(t.lanes) == 0 {
			return nil, err == nil, err
		}
		l := t.first(ctx, q)
		if l == nil {
			if err := ctx.Err(); err != nil {
				return nil, false, err
			}
			if t.waited() {
				continue
			}
			closed, err = t.refusal()
			return nil, closed, err
		}
		l.Prepare(q, !retry) // it was prepared for the last lane in the tier
		now, err := l.request(q, retry)
		if err != nil || now.Cost > t.cost {
			t.permit.Drop()
			if err == nil {
				continue // the most that it may cost has risen meanwhile
			}
			return nil, false, err
		}
		permit, err = inTime(ctx, t.permit, nil)
		permit, err = l.judge(permit, err, t.trial[l])
		return permit, false, err
	}
}

// turn is one look at the open lanes of a tier: the request made to each limiter, and its reply.
type turn struct {
	lanes  []*Lane // the one with the most room first
	offers []limiter.Offer
	trial  map[*Lane]bool // those that take a single record
	permit *limiter.Permit
	cost   int64 // that the permit was given for, in billionths of a dollar
}

// open finds the lanes of a tier that q may go to now.
func (r *Lanes) open(tier []*Lane, q *Request, retry bool) (*turn, error) {
	t := &turn{trial: make(map[*Lane]bool)}
	load := make(map[*Lane]float64)
	for _, l := range tier {
		if ok, trial := l.usable(time.Now()); ok {
			t.lanes = append(t.lanes, l)
			t.trial[l], load[l] = trial, l.Pace.Load()
		}
	}
	slices.SortStableFunc(t.lanes, func(a, b *Lane) int { return cmp.Compare(load[a], load[b]) })
	for _, l := range t.lanes {
		l.Prepare(q, !retry)
		request, err := l.request(q, retry)
		if err != nil {
			return nil, err
		}
		request.Trial = t.trial[l]
		t.offers = append(t.offers, limiter.Offer{Limiter: l.Pace, Request: request})
	}
	return t, nil
}

// first returns the lane that has room for q first, or nil if none has any for now.
func (t *turn) first(ctx context.Context, q *Request) *Lane {
	wait := lookAround
	for _, l := range t.lanes {
		if _, open := l.Pace.Room(); open {
			wait = LookAgain
		}
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for range 2 {
		permit, at := limiter.First(ctx, t.offers)
		if at >= 0 {
			t.permit, t.cost = permit, t.offers[at].Request.Cost
			return t.lanes[at]
		}
		leaner := false
		for i, l := range t.lanes {
			leaner = l.lean(q, &t.offers[i].Request, t.offers[i].Err) || leaner
		}
		if !leaner {
			break
		}
	}
	return nil
}

// waited reports whether a lane had no answer when the look was over.
func (t *turn) waited() bool {
	return slices.ContainsFunc(t.offers, func(o limiter.Offer) bool { return errors.Is(o.Err, context.DeadlineExceeded) })
}

// refusal explains why no lane gives a permit. It returns an error if a lane gave one that does not
// pass and no lane is left that may take q later.
func (t *turn) refusal() (closed bool, err error) {
	closed = true
	for i, l := range t.lanes {
		_, fault := l.judge(nil, t.offers[i].Err, t.trial[l])
		if errors.Is(fault, limiter.ErrOpen) {
			closed = false
		} else {
			err = cmp.Or(err, fault)
		}
	}
	if !closed {
		err = nil
	}
	return closed && err == nil, err
}

// Sum returns the combined state of lanes. It is open, or paused, only while all of them are.
func Sum(lanes []*Lane) limiter.Stats {
	sum := lanes[0].Pace.Stats()
	for _, l := range lanes[1:] {
		p := l.Pace.Stats()
		sum.InFlight += p.InFlight
		sum.Allowed += p.Allowed
		sum.RPMUsed += p.RPMUsed
		sum.TPMUsed += p.TPMUsed
		sum.RPMLimit = both(sum.RPMLimit, p.RPMLimit)
		sum.TPMLimit = both(sum.TPMLimit, p.TPMLimit)
		sum.Open = sum.Open && p.Open
		if p.NextProbe.Before(sum.NextProbe) {
			sum.NextProbe = p.NextProbe
		}
		if p.PausedUntil.Before(sum.PausedUntil) {
			sum.PausedUntil = p.PausedUntil
		}
	}
	return sum
}

// both is the sum of two limits, 0 if either is unknown.
func both(a, b int) int {
	if a == 0 || b == 0 {
		return 0
	}
	return a + b
}

// Names returns the names of lanes, for messages.
func Names(lanes []*Lane) string {
	var names []string
	for _, l := range lanes {
		names = append(names, l.Host.Name)
	}
	return strings.Join(names, ", ")
}
