package limiter

import "context"

// Offer is a request as one of several limiters would be asked for it. Where that does not grant
// it, Err is why: what [Limiter.Acquire] would have said, or nil where another granted it before.
type Offer struct {
	Limiter *Limiter
	Request Request
	Err     error
}

// First waits until one of several limiters has room for its request, and returns that one's permit
// and its place among the offers. Where several have room at once the first of them counts. It
// waits for as long as one of them may still grant it; where none does, the place is -1.
func First(ctx context.Context, offers []Offer) (*Permit, int) {
	waiters := make([]waiter, len(offers))
	ready := make(chan struct{}, len(offers)) // of them all, as none is told apart before it is looked at
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
	panic("limiter: nobody was answered")
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
