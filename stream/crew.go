package stream

import (
	"context"
	"sync"
	"sync/atomic"

	"llmpipe/limiter"
)

// crew is the workers that ask about new records. One of them at a time is at the head: it takes the next record and waits for a permit,
// so that new records are placed one after the other, and the first holds back all others. With the permit it lets another take the
// head, and asks itself.
//
// So no record changes hands between admission and the answer. Where as much is in flight as may be, the head is left empty until one of
// the requests has ended, and who asked it goes on with the next record: nobody is woken, and nobody waits.
type crew struct {
	*router
	fresh <-chan *Task
	head  chan struct{}  // holds something while nobody is at the head
	idle  atomic.Int32   // workers that wait for the head
	all   sync.WaitGroup // of the workers, and of those that may start one
}

func newCrew(r *router) *crew {
	c := &crew{router: r, fresh: r.run.fresh, head: make(chan struct{}, 1)}
	if r.packer != nil {
		c.fresh = r.packer.out
	}
	return c
}

// recruit starts a worker, at the head, that lives until ctx ends.
func (c *crew) recruit(ctx context.Context) {
	c.all.Go(func() {
		for {
			t, permit := c.lead(ctx)
			c.leave(ctx)
			if permit == nil {
				return
			}
			t.lane.ask(t, permit)
			if !c.follow(ctx) {
				return
			}
		}
	})
}

// lead places new records until one of them has a permit, or ctx ends.
func (c *crew) lead(ctx context.Context) (*Task, *limiter.Permit) {
	for {
		t := c.next(ctx)
		if t == nil {
			return nil, nil
		}
		t = t.seal()
		if permit := c.place(ctx, t, false); permit != nil {
			return t, permit
		}
	}
}

// next waits for a new record, and returns nil when ctx ends first. Mostly there is one, and a look costs less than a choice.
func (c *crew) next(ctx context.Context) *Task {
	select {
	case t := <-c.fresh:
		return t
	default:
	}
	select {
	case t := <-c.fresh:
		return t
	case <-ctx.Done():
		return nil
	}
}

// leave gives up the head: to a worker that waits for it, or to a new one if it could send something.
func (c *crew) leave(ctx context.Context) {
	if c.short(ctx) {
		c.recruit(ctx)
		return
	}
	c.head <- struct{}{}
	if c.short(ctx) { // for room was made meanwhile by one who found the head taken
		c.fill(ctx)
	}
}

// short reports whether something could be sent and nobody waits to do it.
func (c *crew) short(ctx context.Context) bool {
	return ctx.Err() == nil && c.idle.Load() == 0 && c.roomy()
}

// fill sees to it that somebody is at the head if there is something for them to do, after a request that no worker made has ended.
func (c *crew) fill(ctx context.Context) {
	select {
	case <-c.head:
		c.leave(ctx)
	default:
	}
}

// follow waits for the head, and reports false when ctx ends first.
func (c *crew) follow(ctx context.Context) bool {
	select {
	case <-c.head:
		return true
	default:
	}
	c.idle.Add(1)
	defer c.idle.Add(-1)
	select {
	case <-c.head:
		return true
	case <-ctx.Done():
		return false
	}
}
