package limiter

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
