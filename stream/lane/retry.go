package lane

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"llmpipe/stream/flow"
)

// Backoff before a retry: full jitter between zero and a bound that doubles from the first delay to
// the last. backoff spreads its interval by a factor on both sides, so half the bound and a factor
// of 1 give that.
const (
	FirstTransient = 500 * time.Millisecond
	firstPressure  = time.Second
	lastDelay      = 60 * time.Second
)

// delays are a request's waits between attempts, made at the first failure.
type delays struct {
	transient BackOff
	pressure  BackOff
}

func newDelays() *delays {
	return &delays{transient: NewBackOff(FirstTransient), pressure: NewBackOff(firstPressure)}
}

// rewind begins again with the first delays: what failed in an outage says nothing of the request.
func (d *delays) rewind() {
	if d != nil {
		d.transient.Reset()
		d.pressure.Reset()
	}
}

// BackOff is the wait before the next try: it doubles, and is never shorter than what a provider
// asked for.
type BackOff struct {
	*backoff.ExponentialBackOff
	AtLeast time.Duration // of the next wait
}

// NewBackOff makes one whose first wait is at most first, and whose waits double up to lastDelay.
func NewBackOff(first time.Duration) BackOff {
	return BackOff{ExponentialBackOff: backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(first/2),
		backoff.WithMaxInterval(lastDelay/2),
		backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(1),
		backoff.WithMaxElapsedTime(0),
	)}
}

// NextBackOff implements backoff.BackOff. AtLeast holds for one wait.
func (b *BackOff) NextBackOff() time.Duration {
	d := max(b.ExponentialBackOff.NextBackOff(), b.AtLeast)
	b.AtLeast = 0
	return d
}

// sleepers are the requests that wait for their retry. They hold no worker and no permit, and the
// gate bounds their number.
type sleepers struct {
	gate *flow.Gate
	wake chan *Request // those whose time has come
	poke chan struct{}

	mu     sync.Mutex
	heap   requestHeap
	closed bool
}

func newSleepers(gate *flow.Gate) *sleepers {
	return &sleepers{gate: gate, wake: make(chan *Request), poke: make(chan struct{}, 1)}
}

// add puts q to sleep for d. It returns false once the sleepers are closed.
func (s *sleepers) add(q *Request, d time.Duration) bool {
	q.tries.wake = time.Now().Add(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	heap.Push(&s.heap, q)
	if n := q.aside(); n > 0 {
		s.gate.Sleep(n)
	}
	if s.heap[0] == q {
		select {
		case s.poke <- struct{}{}:
		default:
		}
	}
	return true
}

// hasten has those that were sent to h and failed in its outage asked again soon: until the outage
// is over they wait for its probes, and no longer for their own delays.
func (s *sleepers) hasten(h *flow.Host) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.heap {
		if q.host != h || !q.outlasted() {
			continue
		}
		q.tries.delays.rewind()
		if wake := now.Add(q.tries.delays.transient.NextBackOff()); wake.Before(q.tries.wake) {
			q.tries.wake = wake
		}
	}
	heap.Init(&s.heap)
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// len returns how many are asleep.
func (s *sleepers) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.heap)
}

// run wakes sleepers in the order of their times until ctx ends, and returns those still asleep
// then.
func (s *sleepers) run(ctx context.Context) []*Request {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		q, wait := s.due(time.Now())
		if q != nil {
			select {
			case s.wake <- q:
				continue
			case <-ctx.Done():
				s.gate.Wake(q.aside())
				return append(s.close(), q)
			}
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-s.poke:
		case <-ctx.Done():
			return s.close()
		}
	}
}

// due takes the first sleeper if its time has come, and otherwise returns how long that takes.
func (s *sleepers) due(now time.Time) (*Request, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.heap) == 0 {
		return nil, time.Hour
	}
	if wait := s.heap[0].tries.wake.Sub(now); wait > 0 {
		return nil, wait
	}
	q := heap.Pop(&s.heap).(*Request)
	return q, 0
}

// close returns the requests that are asleep, and accepts no more.
func (s *sleepers) close() []*Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, q := range s.heap {
		s.gate.Wake(q.aside())
	}
	left := s.heap
	s.heap = nil
	return left
}

// requestHeap implements heap.Interface by time of waking.
type requestHeap []*Request

func (h requestHeap) Len() int           { return len(h) }
func (h requestHeap) Less(i, j int) bool { return h[i].tries.wake.Before(h[j].tries.wake) }
func (h requestHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *requestHeap) Push(x any) { *h = append(*h, x.(*Request)) }

// Pop implements heap.Interface.
func (h *requestHeap) Pop() any {
	last := len(*h) - 1
	q := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return q
}
