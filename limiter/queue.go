package limiter

import "time"

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

// longLull is how long nobody need wait for the lane to be idle: less than that lies between the
// requests of a slow source, too.
const longLull = time.Second

// lulls are the times in which nobody waits. What was accepted in a time tells a rate only where
// there was something to send: the idle part of lulls does not count.
type lulls struct {
	since time.Time     // nobody waits since then; zero: somebody does
	idle  time.Duration // in the lulls that are over, beyond longLull of each
}

// begin notes that nobody waits any more.
func (s *lulls) begin(now time.Time) {
	if s.since.IsZero() {
		s.since = now
	}
}

// end notes that somebody waits.
func (s *lulls) end(now time.Time) {
	if s.since.IsZero() {
		return
	}
	s.idle += max(0, now.Sub(s.since)-longLull)
	s.since = time.Time{}
}

// busy is now by a clock that stands still while the lane is idle.
func (s *lulls) busy(now time.Time) time.Time { return now.Add(-s.idle) }
