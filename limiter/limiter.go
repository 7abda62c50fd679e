package limiter

import (
	"context"
	"sync"
	"time"
)

const (
	defaultMaxConcurrency = 256
	defaultGiveUp         = 2 * time.Hour
)

// Config configures one lane's limiter. A zero field means unknown, except Clock, which is
// required.
type Config struct {
	RPM      int     // requests a minute
	TPM      int     // tokens a minute, prompt and completion
	Headroom float64 // percent of every limit, told or learned, that is left unused

	Concurrency    int           // requests in flight at once, fixed; 0: found out
	MaxConcurrency int           // the most that finding out may come to; default 256
	GiveUp         time.Duration // without a success; default 2 h

	Budgets []*Budget // what requests may cost; shared with other lanes
	// Short, if set, is called whenever the first request waits for room in a budget that only the
	// release of held money can make. It must neither wait nor call the limiter.
	Short func()
	// Backlog counts the answers that have come back and are not put away yet; nil for none.
	Backlog Backlog
	// Share, if set, says that other processes use the same quota, so that what is sent is leased.
	Share Sharer

	Clock Clock
}

// Limiter holds back the requests of one lane. Its methods may be called from
// any number of goroutines.
type Limiter struct {
	clock   Clock
	waiters sync.Pool // of *waiter; not shared: a channel belongs to the fake time of its maker

	mu          sync.Mutex
	now         time.Time // the clock at the event being handled
	retries     queue
	fresh       queue
	lulls       lulls
	wake        Timer // nil: none armed
	wakeAt      time.Time
	closed      bool
	shut        bool // Movable requests are not sent here
	inFlight    int
	settled     int64
	dropped     int64
	buckets     [resources]bucket
	refunds     bool // the provider gives back completion tokens that were not used
	estimate    estimate
	cache       cache
	sends       sends
	hold        hold
	pace        pace
	latency     float64 // mean seconds of an answer; 0: none yet
	concurrency concurrency
	breaker     breaker
	patience    patience
	budgets     budgets
	short       func()
	backlog     Backlog
	used        usage
	share       *share // nil: the quota is used by nobody else
}

// New makes a limiter with nothing in flight and nothing learned.
func New(c Config) *Limiter {
	if c.MaxConcurrency <= 0 {
		c.MaxConcurrency = defaultMaxConcurrency
	}
	if c.GiveUp <= 0 {
		c.GiveUp = defaultGiveUp
	}
	now := c.Clock.Now()
	spare := min(max(c.Headroom/100, 0), 0.99)
	l := &Limiter{
		clock:       c.Clock,
		now:         now,
		lulls:       lulls{since: now},
		estimate:    newEstimate(),
		sends:       newSends(),
		hold:        hold{began: now},
		pace:        newPace(now),
		concurrency: newConcurrency(c),
		patience:    patience{limit: c.GiveUp},
		budgets:     c.Budgets,
		short:       c.Short,
		backlog:     c.Backlog,
	}
	l.waiters.New = func() any { return &waiter{ready: make(chan struct{}, 1)} }
	for _, b := range c.Budgets {
		b.join(l)
	}
	told := [resources]int{requests: c.RPM, tokens: c.TPM}
	for r := range l.buckets {
		l.buckets[r] = newBucket(told[r], spare, now)
	}
	l.join(c.Share)
	return l
}

// Acquire waits until every gate has room for r at once, or ctx ends. Retries
// go before new requests, and after them while the breaker is open, each class in
// the order of arrival.
//
// It fails with one of these errors: a *TooLarge, which is the record's own; a *GaveUp (errors.Is
// ErrGaveUp), which ends the lane; an *OverBudget (errors.Is ErrOverBudget), if the money is used
// up; ErrOpen, if the request is Movable and the breaker is open or the lane is shut; or ctx's
// error.
func (l *Limiter) Acquire(ctx context.Context, r Request) (*Permit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := l.waiters.Get().(*waiter)
	w.request, w.parked = r, false

	l.enter(w)
	if w.parked {
		select {
		case <-w.ready:
		case <-ctx.Done():
			l.leave(w)
			w.err = ctx.Err()
		}
	}
	p, err := w.permit, w.err
	w.permit, w.err = nil, nil
	l.waiters.Put(w)
	return p, err
}

// enter queues w, and answers it if it need not wait.
func (l *Limiter) enter(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance()
	l.lulls.end(l.now)
	l.queueOf(w.request).push(w)
	l.pump()
	w.parked = w.queued
}

// leave takes back a waiter whose context ended, and the permit that it may
// have been granted in the same moment.
func (l *Limiter) leave(w *waiter) {
	l.mu.Lock()
	if w.queued {
		l.queueOf(w.request).remove(w)
		l.advance()
		l.pump() // what stood behind a big request may fit
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	<-w.ready
	if w.permit != nil {
		w.permit.Drop()
		w.permit = nil
	}
}

// Allowed is how many requests may be in flight now. It is never less than 1.
func (l *Limiter) Allowed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.concurrency.allowed()
}

// Room reports whether fewer requests are in flight than may be, and whether
// the breaker is open.
func (l *Limiter) Room() (room, open bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.concurrency.wait(l.inFlight, l.clock.Now()) == 0, l.breaker.open
}

// Shut makes Movable requests fail with ErrOpen until it is called with false, unless they are
// Trials. Those that already wait fail too: otherwise they might wait longer than the lane is shut.
func (l *Limiter) Shut(shut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut = shut; shut && !l.closed {
		l.advance()
		l.pump()
	}
}

// Close stops the timer. A request that still waits does so until its context ends.
func (l *Limiter) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.wake != nil {
		l.wake.Stop()
		l.wake = nil
	}
}

func (l *Limiter) queueOf(r Request) *queue {
	if r.Retry {
		return &l.retries
	}
	return &l.fresh
}

// advance brings the limiter's time to the clock's. If the clock is set back, the limiter's time
// stands still until the clock has caught up.
func (l *Limiter) advance() {
	if now := l.clock.Now(); now.After(l.now) {
		l.now = now
	}
	for r := range l.buckets {
		l.buckets[r].refill(l.now)
	}
	l.judge()
}

// pump answers waiters for as long as the first of them can be answered. Every event ends in it, so
// no request waits that could go.
func (l *Limiter) pump() {
	for {
		w := l.first()
		if w == nil {
			l.lulls.begin(l.now)
			return
		}
		if err := l.refuse(w.request); err != nil {
			l.queueOf(w.request).remove(w)
			w.answer(nil, err)
			continue
		}
		cost := l.estimate.charge(w.request)
		if l.cache.holds(w.request) {
			l.arm(forever) // a settlement wakes it
			return
		}
		if wait := l.wait(cost); wait > 0 {
			l.share.want()
			l.arm(wait)
			return
		}
		fits, err := l.budgets.reserve(w.request.Cost, l.now, l)
		if err != nil {
			l.queueOf(w.request).remove(w)
			w.answer(nil, err)
			continue
		}
		if !fits {
			l.arm(forever) // a settlement wakes it
			return
		}
		l.queueOf(w.request).remove(w)
		w.answer(l.grant(w.request, cost), nil)
	}
}

// first is the waiter whose turn it is. Retries go before new requests. While the breaker is open
// they go after them, because as a probe a record that always fails would keep it open.
func (l *Limiter) first() *waiter {
	before, after := &l.retries, &l.fresh
	if l.breaker.open {
		before, after = after, before
	}
	if before.head != nil {
		return before.head
	}
	return after.head
}

// refuse returns the error of a request that must not wait; nil if it may.
func (l *Limiter) refuse(r Request) error {
	if err := l.patience.check(l.now, &l.breaker, &l.hold); err != nil {
		return err
	}
	if r.Movable && (l.shut && !r.Trial || l.breaker.wait(l.now, l.sends.patience()) > 0) {
		return ErrOpen
	}
	least := l.estimate.lean(r)
	for i := range l.buckets {
		if bound := l.buckets[i].bound(); bound > 0 && least[i] > bound {
			return &TooLarge{Resource: resourceNames[i], Need: int(least[i]), Limit: int(bound)}
		}
	}
	return nil
}

var resourceNames = [resources]string{"requests", "tokens", "input tokens", "output tokens"}

// wait asks every gate. The longest wait counts: all must have room at once.
// A further gate is one more line here, one in grant and one in learn.
func (l *Limiter) wait(cost charge) time.Duration {
	wait := max(l.breaker.wait(l.now, l.sends.patience()), l.hold.wait(l.now), l.share.wait(l.now),
		l.concurrency.wait(l.inFlight, l.now), l.behind())
	for i := range l.buckets {
		wait = max(wait, l.buckets[i].wait(cost[i]))
	}
	return wait
}

func (l *Limiter) grant(r Request, cost charge) *Permit {
	l.inFlight++
	p := &Permit{limiter: l, request: r, sent: l.now, inFlight: l.inFlight}
	for i := range l.buckets {
		p.charged[i] = l.buckets[i].take(cost[i])
		p.spent[i] = l.buckets[i].spent
	}
	l.cache.grant(p)
	p.n = l.sends.add(l.now, p.charged[tokens])
	e := l.sends.get(p.n)
	e.idle, e.held = l.lulls.idle, l.buckets[requests].held() || l.buckets[tokens].held()
	l.hold.grant(p.n)
	l.concurrency.grant(p, e)
	l.breaker.grant(p)
	p.counted = l.counted(p.charged)
	l.used.add(l.now, 1, p.counted)
	return p
}

// counted is how much of a charge the provider counts as tokens. If it limits only input and
// output, that is their sum.
func (l *Limiter) counted(c charge) float64 {
	if l.buckets[tokens].limit == 0 && l.buckets[input].limit+l.buckets[output].limit > 0 {
		return c[input] + c[output]
	}
	return c[tokens]
}

// arm makes sure that the first waiter is looked at again when its gates may have room, and when
// patience ends. It leaves a timer that fires too early, because stopping it costs more.
func (l *Limiter) arm(wait time.Duration) {
	wait = min(wait, l.patience.remaining(l.now, &l.breaker), l.unjudged())
	if wait == forever || l.closed {
		return
	}
	at := l.now.Add(wait)
	if l.wake != nil {
		if !l.wakeAt.After(at) {
			return
		}
		l.wake.Stop()
	}
	l.wakeAt = at
	l.wake = l.clock.AfterFunc(wait, l.tick)
}

func (l *Limiter) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.wake = nil
	l.advance()
	l.pump()
}
