package lane

import (
	"context"
	"sync"
	"sync/atomic"

	"llmpipe/limiter"
)

// workers send new records. One worker at a time leads: it takes the next record and waits for a
// permit, so new records are placed in order and the first holds back all others. Once it has the
// permit, it passes the lead on and sends the request.
//
// So no record changes goroutines between admission and the answer. When the limit of requests in
// flight is reached, no worker leads until a request has ended. Its worker then goes on with the
// next record, so no other worker has to be woken.
type workers struct {
	lanes *Lanes
	ahead ahead          // the leader's
	head  chan struct{}  // holds a token while nobody leads
	idle  atomic.Int32   // workers that wait for the lead
	all   sync.WaitGroup // of the workers, and of those that may start one
}

func newWorkers(l *Lanes) *workers { return &workers{lanes: l, head: make(chan struct{}, 1)} }

// recruit starts a worker, which leads, and lives until ctx ends.
func (w *workers) recruit(ctx context.Context) {
	w.all.Go(func() {
		for {
			q, permit := w.lead(ctx)
			w.leave(ctx)
			if permit == nil {
				return
			}
			w.lanes.of(q).ask(q, permit)
			if !w.follow(ctx) {
				return
			}
		}
	})
}

// lead places new records until one of them has a permit, or ctx ends.
func (w *workers) lead(ctx context.Context) (*Request, *limiter.Permit) {
	for {
		q := w.next(ctx)
		if q == nil {
			return nil, nil
		}
		if permit := w.lanes.place(ctx, q, false); permit != nil {
			return q, permit
		}
	}
}

// next waits for a new request, and returns nil when ctx ends first.
func (w *workers) next(ctx context.Context) *Request {
	if w.lanes.packer != nil {
		return take(ctx, w.lanes.packer.out).seal()
	}
	for {
		if q := w.ahead.next(); q != nil || !w.fetch(ctx) {
			return q
		}
	}
}

// take receives from in, and returns nil when ctx ends first. Usually a value is there, and a plain
// receive costs less than a select.
func take[T any](ctx context.Context, in <-chan *T) *T {
	select {
	case t := <-in:
		return t
	default:
	}
	select {
	case t := <-in:
		return t
	case <-ctx.Done():
		return nil
	}
}

// leave passes the lead on: to a worker that waits for it, or to a new one if it could send
// something.
func (w *workers) leave(ctx context.Context) {
	if w.short(ctx) {
		w.recruit(ctx)
		return
	}
	w.head <- struct{}{}
	if w.short(ctx) { // room was made meanwhile, by a worker that saw the lead taken
		w.fill(ctx)
	}
}

// short reports whether a request could be sent and no worker waits to send it.
func (w *workers) short(ctx context.Context) bool {
	return ctx.Err() == nil && w.idle.Load() == 0 && w.lanes.roomy()
}

// fill makes a worker lead if a request could be sent, after a retry has ended.
func (w *workers) fill(ctx context.Context) {
	select {
	case <-w.head:
		w.leave(ctx)
	default:
	}
}

// follow waits for the lead, and returns false when ctx ends first.
func (w *workers) follow(ctx context.Context) bool {
	select {
	case <-w.head:
		return true
	default:
	}
	w.idle.Add(1)
	defer w.idle.Add(-1)
	select {
	case <-w.head:
		return true
	case <-ctx.Done():
		return false
	}
}
