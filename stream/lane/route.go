package lane

import (
	"cmp"
	"context"
	"errors"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/record"
)

// LookAgain is the pause before a request looks again for a lane, when none took it. Breakers send
// a probe every few seconds at most.
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

// place waits for a permit to send q in the first lane that takes it. It finishes q when there will
// be none.
func (r *Lanes) place(ctx context.Context, q *Request, retry bool) *limiter.Permit {
	for {
		permit, closed, err := r.tryLanes(ctx, q, retry)
		switch {
		case err != nil:
			r.unplaced(q, err)
			return nil
		case permit != nil:
			return permit
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

// tryLanes goes through the lanes once, and returns the permit of the first that takes q. Otherwise
// closed says whether all lanes are closed, rather than waiting for a breaker. An error would be
// the same in every lane.
func (r *Lanes) tryLanes(ctx context.Context, q *Request, retry bool) (permit *limiter.Permit, closed bool, err error) {
	closed = true
	for _, l := range r.all[q.floor:] {
		ok, trial := l.usable(time.Now())
		if !ok {
			continue
		}
		permit, err := l.permit(ctx, q, retry)
		switch {
		case err == nil && !trial && l.whyClosed() != nil:
			permit.Drop() // it was closed while q waited
		case err == nil:
			return permit, false, nil
		case errors.Is(err, limiter.ErrOpen):
			closed = false
		case errors.Is(err, limiter.ErrGaveUp):
			l.shut(l.gaveUp(err), true)
		default:
			return nil, false, err
		}
	}
	return nil, closed, nil
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

// permit waits for a permit to send q here. Where what it may cost rises meanwhile it waits again.
func (l *Lane) permit(ctx context.Context, q *Request, retry bool) (*limiter.Permit, error) {
	l.Prepare(q, !retry)
	for {
		changes, _ := l.lanes.account.Stale(q.Charge(), 0)
		var err error
		if q.bill.worst, err = l.lanes.account.Worst(q.Charge()); err != nil {
			return nil, err
		}
		permit, err := l.acquire(ctx, q, retry)
		if err != nil {
			return nil, err
		}
		if _, stale := l.lanes.account.Stale(q.Charge(), changes); !stale {
			return permit, nil
		}
		permit.Drop()
	}
}

// acquire is permit for what q may cost now.
func (l *Lane) acquire(ctx context.Context, q *Request, retry bool) (*limiter.Permit, error) {
	request := limiter.Request{
		PromptBytes: q.Record.TextBytes,
		MaxTokens:   q.Record.MaxTokens * q.Record.N,
		N:           q.Record.N,
		Cost:        q.bill.worst,
		Movable:     len(l.lanes.all) > 1,
		Retry:       retry,
	}
	permit, err := l.Pace.Acquire(ctx, request)
	var large *limiter.TooLarge
	if errors.As(err, &large) {
		// The provider counts the tokens: where only our estimate is over its limit, it shall refuse.
		if dense := record.DenseBytes(q.Body); dense < request.PromptBytes {
			request.PromptBytes = dense
			permit, err = l.Pace.Acquire(ctx, request)
		}
	}
	if err == nil && ctx.Err() != nil {
		// The end of asking may grant permits, as the last reply gives its own back.
		permit.Drop()
		return nil, ctx.Err()
	}
	return permit, err
}

// roomy reports whether the lane that a new record would go to has room for another request.
func (r *Lanes) roomy() bool {
	for _, l := range r.all {
		if l.whyClosed() != nil {
			continue
		}
		if room, open := l.Pace.Room(); !open {
			return room
		}
	}
	return true // once a lane takes records again
}

// Allowed is how many requests may be in flight now, in the lane that allows most.
func (r *Lanes) Allowed() int {
	most := 1
	for _, l := range r.all {
		most = max(most, l.Pace.Allowed())
	}
	return most
}

// pauseIfClosed pauses the run when every lane is closed, and reports that. The run's reason is the
// first lane's.
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
