package limiter

import (
	"context"
	"time"
)

// A waiter is one Acquire that has not been answered. It holds nothing of any
// gate; it only has a place in a queue.
type waiter struct {
	request Request
	prev    *waiter
	next    *waiter
	queued  bool

	// parked is set once the goroutine is about to sleep: only then does an
	// answer need the channel.
	parked bool
	ready  chan struct{}
	permit *Permit
	err    error
}

// answer ends the wait. The mutex is held; the channel has room for the one
// message it will ever carry before the waiter is used again.
func (w *waiter) answer(p *Permit, err error) {
	w.permit, w.err = p, err
	if w.parked {
		w.ready <- struct{}{}
	}
}

// queue is a FIFO from whose middle a cancelled waiter can leave.
type queue struct {
	head *waiter
	tail *waiter
	size int
}

func (q *queue) push(w *waiter) {
	w.prev, w.next, w.queued = q.tail, nil, true
	if q.tail == nil {
		q.head = w
	} else {
		q.tail.next = w
	}
	q.tail = w
	q.size++
}

func (q *queue) remove(w *waiter) {
	if w.prev == nil {
		q.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	q.size--
}

// longLull is how long no request must be waiting before the lane counts as idle. Shorter lulls lie
// between the requests of a slow source, too.
const longLull = time.Second

// lulls are the times in which no request waits. What was accepted in a time tells a rate only if
// there was something to send, so the idle part of lulls does not count.
type lulls struct {
	since time.Time     // no request has waited since then; zero: one waits
	idle  time.Duration // in the lulls that are over, beyond longLull of each
}

// begin notes that no request waits any more.
func (s *lulls) begin(now time.Time) {
	if s.since.IsZero() {
		s.since = now
	}
}

// end notes that a request waits.
func (s *lulls) end(now time.Time) {
	if s.since.IsZero() {
		return
	}
	s.idle += max(0, now.Sub(s.since)-longLull)
	s.since = time.Time{}
}

// busy is now by a clock that stands still while the lane is idle.
func (s *lulls) busy(now time.Time) time.Time { return now.Add(-s.idle) }

// Offer is a request as one of several limiters is asked for it. If that limiter does not grant it,
// Err says why: it is what [Limiter.Acquire] would have returned, or nil if another limiter granted
// the request first.
type Offer struct {
	Limiter *Limiter
	Request Request
	Err     error
}

// First waits until one of several limiters has room for its request, and returns that limiter's
// permit and its place among the offers. If several have room at once, the first of them counts.
// First waits as long as one of them may still grant its request. If none does, it returns nil and
// -1.
func First(ctx context.Context, offers []Offer) (*Permit, int) {
	waiters := make([]waiter, len(offers))
	ready := make(chan struct{}, len(offers)) // of all waiters: a look at them shows which it was
	waiting := 0
	for i := range offers {
		o, w := &offers[i], &waiters[i]
		w.request, w.ready = o.Request, ready
		o.Limiter.enter(w)
		switch {
		case w.parked:
			waiting++
		case w.permit != nil:
			withdraw(offers, waiters)
			return w.permit, i
		default:
			o.Err = w.err
		}
	}
	for waiting > 0 {
		select {
		case <-ready:
		case <-ctx.Done():
			withdraw(offers, waiters)
			for i := range offers {
				offers[i].Err = ctx.Err()
			}
			return nil, -1
		}
		i := answered(offers, waiters)
		waiting--
		if waiters[i].permit != nil {
			withdraw(offers, waiters)
			return waiters[i].permit, i
		}
		offers[i].Err = waiters[i].err
	}
	return nil, -1
}

// answered returns a waiter that has an answer and was not returned before. There is one.
func answered(offers []Offer, waiters []waiter) int {
	for i := range waiters {
		if w := &waiters[i]; w.parked && !offers[i].Limiter.queues(w) {
			w.parked = false
			return i
		}
	}
	panic("limiter: no waiter was answered")
}

// withdraw takes back the waiters that are still parked, and the permits that they may have got in
// the same moment.
func withdraw(offers []Offer, waiters []waiter) {
	for i := range waiters {
		if w := &waiters[i]; w.parked {
			offers[i].Limiter.leave(w)
			w.parked = false
		}
	}
}

// queues reports whether w still waits here.
func (l *Limiter) queues(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return w.queued
}

// Load is how much is in flight, as a share of what may be.
func (l *Limiter) Load() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return float64(l.inFlight) / float64(l.concurrency.allowed())
}
