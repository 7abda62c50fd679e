package lane

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/record"
)

// LookAgain is the pause before a request that no lane took tries the lanes again. Breakers send a
// probe every few seconds at most.
const LookAgain = 100 * time.Millisecond

// placeRetries places every retry, and sends it, until ctx ends.
func (l *Lanes) placeRetries(ctx context.Context, w *workers) {
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-l.sleepers.wake:
			w.all.Go(func() {
				aside := q.aside()
				patient, done := l.patient(ctx, q)
				permit := l.place(patient, q, true)
				done()
				l.sleepers.gate.Wake(aside)
				if permit != nil {
					l.of(q).ask(q, permit)
				}
				w.fill(ctx)
			})
		}
	}
}

// place waits for a permit to send q in the first lane that takes it. If there will be no permit,
// it finishes q.
func (r *Lanes) place(ctx context.Context, q *Request, retry bool) *limiter.Permit {
	for {
		permit, closed, err := r.tryLanes(ctx, q, retry)
		switch {
		case err != nil && r.othersAsk(err):
		case err != nil:
			r.unplaced(q, err)
			return nil
		case permit != nil:
			goes, again := r.secure(ctx, q, permit)
			if goes {
				return permit
			}
			if !again {
				return nil
			}
			continue
		case closed && r.nowhere(q):
			return nil
		}
		select {
		case <-time.After(LookAgain):
		case <-ctx.Done():
			r.finish(q)
			return nil
		}
	}
}

// tryLanes tries each tier once, and returns the permit of the first that takes q. Without a
// permit, closed says whether all lanes are closed; otherwise some wait for their breakers. An
// error is one that every lane would give.
func (r *Lanes) tryLanes(ctx context.Context, q *Request, retry bool) (permit *limiter.Permit, closed bool, err error) {
	closed = true
	for _, tier := range r.tiers[q.floor:] {
		if len(tier) > 1 {
			permit, shut, err := r.tryTier(ctx, tier, q, retry)
			if permit != nil || err != nil {
				return permit, false, err
			}
			closed = closed && shut
			continue
		}
		l := tier[0]
		ok, trial := l.usable(time.Now())
		if !ok {
			continue
		}
		permit, err := l.permit(ctx, q, retry, trial)
		if permit, err = l.judge(permit, err, trial); permit != nil {
			return permit, false, nil
		}
		if errors.Is(err, limiter.ErrOpen) {
			closed = false
		} else if err != nil {
			return nil, false, err
		}
	}
	return nil, closed, nil
}

// judge returns a permit that may be used, or an error: ErrOpen, which may pass, or one that is not
// the lane's alone. If both are nil, the lane is closed.
func (l *Lane) judge(permit *limiter.Permit, err error, trial bool) (*limiter.Permit, error) {
	switch {
	case err == nil && !trial && l.whyClosed() != nil:
		permit.Drop() // it was closed while the request waited
		return nil, nil
	case errors.Is(err, limiter.ErrGaveUp):
		l.shut(l.gaveUp(err), true)
		return nil, nil
	}
	return permit, err
}

// othersAsk reports whether the room in the budget that q lacks may come of what other processes
// have under way.
func (r *Lanes) othersAsk(err error) bool {
	var over *limiter.OverBudget
	if r.journal == nil || !errors.As(err, &over) || over.Away == 0 {
		return false
	}
	spent, err := r.journal.CatchUp()
	if err != nil {
		return false
	}
	r.account.Committed(spent)
	return spent.Elsewhere.Asked > 0
}

// unplaced finishes a request that no lane can give a permit.
func (r *Lanes) unplaced(q *Request, err error) {
	var large *limiter.TooLarge
	switch {
	case errors.As(err, &large) && q.pack != nil:
		r.split(q)
		return
	case errors.As(err, &large):
		q.fail(&record.Error{Type: "too_large", Code: "over_limit", Message: large.Error()})
	case errors.Is(err, context.DeadlineExceeded):
		q.fail(q.reply.Err) // it was refused for as long as --give-up
	case errors.Is(err, limiter.ErrOverBudget):
		r.account.StopFor(err)
	case !errors.Is(err, context.Canceled):
		r.flow.Stop.Fail(err)
	}
	r.finish(q)
}

// nowhere finishes a request when every lane that it may go to is closed. It returns false when one
// has opened meanwhile.
func (r *Lanes) nowhere(q *Request) bool {
	if q.floor > 0 && q.reply.Err != nil {
		q.fail(q.reply.Err) // its attempts are used up in the lanes that are open
	} else if !r.pauseIfClosed() {
		return false
	}
	r.finish(q)
	return true
}

// permit waits for a permit to send q in this lane. If the most that q may cost rises meanwhile, it
// waits again.
func (l *Lane) permit(ctx context.Context, q *Request, retry, trial bool) (*limiter.Permit, error) {
	for {
		l.Prepare(q, !retry)
		changes, _ := l.lanes.account.Stale(q.Charge(), 0)
		request, err := l.request(q, retry)
		if err != nil {
			return nil, err
		}
		request.Trial = trial
		permit, err := l.Pace.Acquire(ctx, request)
		if l.lean(q, &request, err) {
			permit, err = l.Pace.Acquire(ctx, request)
		}
		if permit, err = inTime(ctx, permit, err); err != nil {
			return nil, err
		}
		if _, stale := l.lanes.account.Stale(q.Charge(), changes); !stale {
			return permit, nil
		}
		permit.Drop()
	}
}

// request is what the lane's limiter is asked for q. Prepare must have made q a request to this
// lane's provider.
func (l *Lane) request(q *Request, retry bool) (limiter.Request, error) {
	err := l.worst(q)
	return limiter.Request{
		PromptBytes: q.Record.TextBytes,
		MaxTokens:   q.Record.MaxTokens * q.Record.N,
		N:           q.Record.N,
		Cost:        q.bill.worst,
		Movable:     len(l.lanes.all) > 1,
		Retry:       retry,
		Warms:       bytes.Contains(q.Body, []byte(`"cache_control"`)),
	}, err
}

// lean shrinks the estimate of a request that is too large for the limit to the least that q can
// need, and reports whether that made it smaller. The provider counts the real tokens, so if only
// our estimate is over the limit, the provider decides.
func (l *Lane) lean(q *Request, request *limiter.Request, err error) bool {
	var large *limiter.TooLarge
	if !errors.As(err, &large) {
		return false
	}
	dense := record.DenseBytes(q.Body)
	smaller := dense < request.PromptBytes
	request.PromptBytes = min(dense, request.PromptBytes)
	return smaller
}

// inTime gives back a permit that came after asking had ended. The last replies give their permits
// back, which may grant others.
func inTime(ctx context.Context, permit *limiter.Permit, err error) (*limiter.Permit, error) {
	if err == nil && ctx.Err() != nil {
		permit.Drop()
		return nil, ctx.Err()
	}
	return permit, err
}

// roomy reports whether one of the lanes that a new record would go to has room for another
// request.
func (r *Lanes) roomy() bool {
	for _, tier := range r.tiers {
		takes := false
		for _, l := range tier {
			if l.whyClosed() != nil {
				continue
			}
			room, open := l.Pace.Room()
			if room && !open {
				return true
			}
			takes = takes || !open
		}
		if takes {
			return false
		}
	}
	return true // once a lane takes records again
}

// Allowed returns how many requests may be in flight now, in the tier that allows most.
func (r *Lanes) Allowed() int {
	most := 1
	for _, tier := range r.tiers {
		allowed := 0
		for _, l := range tier {
			allowed += l.Pace.Allowed()
		}
		most = max(most, allowed)
	}
	return most
}

// pauseIfClosed pauses the run if every lane is closed, and reports whether it did. The run's
// reason is the first lane's.
func (r *Lanes) pauseIfClosed() bool {
	var first error
	for _, l := range r.all {
		why := l.whyClosed()
		if why == nil {
			return false
		}
		first = cmp.Or(first, why)
	}
	r.flow.Stop.Pause(first)
	return true
}
