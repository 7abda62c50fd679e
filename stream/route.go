package stream

import (
	"cmp"
	"context"
	"errors"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/record"
)

// router sends records to lanes: to the first that takes them. While the first lane is well, everything goes there, and waits there for its
// permit; when its breaker is open, or its provider has nothing left to give, records go to the next, and the lanes before are tried
// again by single records. A record does not return to a lane where its attempts are used up.
//
// New records are placed one after the other, by the crew. Each retry is placed by a goroutine of its own, which then does the asking:
// none stands behind a new record or behind a retry that waits for another lane.
type router struct {
	*run
	lanes []*lane
}

// lookAgain is how soon a record looks again for a lane when none takes it: breakers send probes every few seconds at most.
const lookAgain = 100 * time.Millisecond

func newRouter(r *run, lanes []*lane) *router {
	return &router{run: r, lanes: lanes}
}

// serve places records and asks about them until ctx ends, and returns when all its goroutines have.
func (r *router) serve(ctx context.Context) {
	c := newCrew(r)
	c.recruit(ctx)
	if r.packer != nil {
		c.all.Go(func() { r.packer.pack(ctx) })
	}
	c.all.Go(func() { r.placeRetries(ctx, c) })
	c.all.Go(func() {
		for _, t := range r.sleepers.run(ctx) {
			r.finish(t)
		}
	})
	c.all.Wait()
}

// placeRetries has every retry placed and asked about until ctx ends.
func (r *router) placeRetries(ctx context.Context, c *crew) {
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-r.sleepers.wake:
			c.all.Go(func() {
				if permit := r.place(ctx, t, true); permit != nil {
					t.lane.ask(t, permit)
				}
				c.fill(ctx)
			})
		}
	}
}

// place waits for a permit to ask about t in the first lane that takes it. When there will be none, t is finished.
func (r *router) place(ctx context.Context, t *Task, retry bool) *limiter.Permit {
	for {
		permit, closed, err := r.tryLanes(ctx, t, retry)
		switch {
		case err != nil:
			r.unplaced(t, err)
			return nil
		case permit != nil:
			return permit
		case closed && r.nowhere(t):
			return nil
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			r.finish(t)
			return nil
		}
	}
}

// tryLanes goes through the lanes once. It returns the permit of the first that takes t; else whether all are closed, rather than
// waiting for a breaker. An error is one that no other lane changes.
func (r *router) tryLanes(ctx context.Context, t *Task, retry bool) (permit *limiter.Permit, closed bool, err error) {
	closed = true
	for _, l := range r.lanes[t.floor:] {
		ok, trial := l.usable(time.Now())
		if !ok {
			continue
		}
		permit, err := l.permit(ctx, t, retry)
		switch {
		case err == nil && !trial && l.whyClosed() != nil:
			permit.Drop() // it was closed while t waited
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

// unplaced finishes a record that gets no permit for a reason that no other lane changes.
func (r *router) unplaced(t *Task, err error) {
	var large *limiter.TooLarge
	switch {
	case errors.As(err, &large) && t.pack != nil:
		r.split(t)
		return
	case errors.As(err, &large):
		t.Fail(&record.Error{Type: "too_large", Code: "over_limit", Message: large.Error()})
	case errors.Is(err, limiter.ErrOverBudget):
		r.money.stopFor(err)
	case !errors.Is(err, context.Canceled):
		r.stop.fail(err)
	}
	r.finish(t)
}

// nowhere finishes a record when every lane that it may go to is closed. It reports false when one was opened in that moment.
func (r *router) nowhere(t *Task) bool {
	if t.floor > 0 && t.Reply.Err != nil {
		t.Fail(t.Reply.Err) // its attempts are used up where something is still sent
	} else if !r.pauseIfClosed() {
		return false
	}
	r.finish(t)
	return true
}

// permit waits for a permit to ask about t here.
func (l *lane) permit(ctx context.Context, t *Task, retry bool) (*limiter.Permit, error) {
	if !retry {
		l.money.lower(t)
	}
	l.dress(t)
	if err := l.money.admit(t); err != nil {
		return nil, err
	}
	request := limiter.Request{
		PromptBytes: t.TextBytes,
		MaxTokens:   t.MaxTokens * t.N,
		N:           t.N,
		Cost:        t.worst,
		Movable:     len(l.router.lanes) > 1,
		Retry:       retry,
	}
	permit, err := l.pace.Acquire(ctx, request)
	var large *limiter.TooLarge
	if errors.As(err, &large) {
		// Tokens are the provider's to count: what is over its limit only because of how they are guessed is for it to refuse.
		if dense := record.DenseBytes(t.sendBody); dense < request.PromptBytes {
			request.PromptBytes = dense
			permit, err = l.pace.Acquire(ctx, request)
		}
	}
	if err == nil && ctx.Err() != nil {
		// Granted by what ended the asking, such as the last reply's permit.
		permit.Drop()
		return nil, ctx.Err()
	}
	return permit, err
}

// roomy reports whether there is room for another request in flight where a new record would go now.
func (r *router) roomy() bool {
	for _, l := range r.lanes {
		if l.whyClosed() != nil {
			continue
		}
		if room, open := l.pace.Room(); !open {
			return room
		}
	}
	return true // once a lane takes records again
}

// allowed is how many requests may be in flight now, in the lane that allows most.
func (r *router) allowed() int {
	most := 1
	for _, l := range r.lanes {
		most = max(most, l.pace.Allowed())
	}
	return most
}

// pauseIfClosed ends the run when nothing is sent anywhere, and reports whether that is so. Why the first lane is closed is why the run
// ends.
func (r *router) pauseIfClosed() bool {
	var first error
	for _, l := range r.lanes {
		why := l.whyClosed()
		if why == nil {
			return false
		}
		first = cmp.Or(first, why)
	}
	r.stop.pause(first)
	return true
}

// current is the lane that records go to now.
func (r *router) current() *lane {
	for _, l := range r.lanes {
		if l.whyClosed() == nil && !l.pace.Stats().Open {
			return l
		}
	}
	return r.lanes[0]
}

// close gives back what the lanes hold.
func (r *router) close() {
	for _, l := range r.lanes {
		if l.pace != nil {
			l.pace.Close()
		}
		l.client.Close()
	}
}
