package lane

import (
	"context"
	"sync"
	"sync/atomic"

	"llmpipe/limiter"
)

// workers ask about new records. One of them at a time is at the head: it takes the next record and
// waits for a permit, so that new records are placed one after the other, and the first holds back
// all others. With the permit it lets another take the head, and asks itself.
//
// So no record changes hands between admission and the answer. Where as much is in flight as may
// be, the head is left empty until one of the requests has ended, and who asked it goes on with the
// next record: nobody is woken, and nobody waits.
type workers struct {
	lanes *Lanes
	head  chan struct{}  // holds something while nobody is at the head
	idle  atomic.Int32   // workers that wait for the head
	all   sync.WaitGroup // of the workers, and of those that may start one
}

func newWorkers(l *Lanes) *workers { return &workers{lanes: l, head: make(chan struct{}, 1)} }

// recruit starts a worker, at the head, that lives until ctx ends.
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
	if t := take(ctx, w.lanes.fresh); t != nil {
		return newRequest(t)
	}
	return nil
}

// take waits for what comes through in, and returns nil when ctx ends first. Mostly there is
// something, and a look costs less than a choice.
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

// leave gives up the head: to a worker that waits for it, or to a new one if it could send
// something.
func (w *workers) leave(ctx context.Context) {
	if w.short(ctx) {
		w.recruit(ctx)
		return
	}
	w.head <- struct{}{}
	if w.short(ctx) { // for room was made meanwhile by one who found the head taken
		w.fill(ctx)
	}
}

// short reports whether something could be sent and nobody waits to do it.
func (w *workers) short(ctx context.Context) bool {
	return ctx.Err() == nil && w.idle.Load() == 0 && w.lanes.roomy()
}

// fill sees to it that somebody is at the head if there is something for them to do, after a
// request that no worker made has ended.
func (w *workers) fill(ctx context.Context) {
	select {
	case <-w.head:
		w.leave(ctx)
	default:
	}
}

// follow waits for the head, and reports false when ctx ends first.
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
