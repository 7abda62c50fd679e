package limiter

import (
	"math"
	"time"
)

// A tally is what one client got, by the second in which it came.
type tally struct {
	begun                            time.Time
	asked, answered, refused, failed []int
	lost                             int // records that failed for good
	most                             int // in flight at once
}

func (t *tally) count(list *[]int, now time.Time) {
	n := int(now.Sub(t.begun) / time.Second)
	for len(*list) <= n {
		*list = append(*list, 0)
	}
	(*list)[n]++
}

// sum adds up the seconds from and before to.
func sum(list []int, from, to int) (n int) {
	for _, v := range list[min(from, len(list)):min(to, len(list))] {
		n += v
	}
	return n
}

// A piper asks as the stream does: the first new record waits for a permit, refused and failed ones
// sleep without one and come back ahead of it, and nothing is read while twice the allowed number
// are queued or in flight, or a great many sleep.
type piper struct {
	tally
	world    *world
	site     *site
	limiter  *Limiter
	sizes    func() prompt
	retries  []*ask // that wait for a permit
	fresh    *ask   // the new one that does; nil: none
	idle     bool   // has not begun
	inFlight int
	asleep   int
	conns    conns
}

// An ask is one record on its way to its answer.
type ask struct {
	prompt  prompt
	waiter  *waiter
	refused int
	streaks []*Streak // that its failures belong to
}

const (
	mostAsleep = 4096 // records that sleep before reading stops
	attempts   = 7
)

func newPiper(w *world, s *site, c Config) *piper {
	c.Clock = w
	p := &piper{world: w, site: s, limiter: New(c), tally: tally{begun: w.now}, sizes: func() prompt {
		return prompt{bytes: 200, tokens: 50, maxTokens: 100, answer: 40}
	}}
	w.then = append(w.then, p.step)
	w.after(0, func() {}) // after which it begins
	return p
}

// step asks for new permits, and sends what was granted.
func (p *piper) step() {
	for {
		if !p.idle && p.fresh == nil && len(p.retries)+p.inFlight < 2*p.limiter.Allowed() && p.asleep < mostAsleep {
			p.fresh = &ask{prompt: p.sizes()}
			p.queue(p.fresh, false)
		}
		switch {
		case len(p.retries) > 0 && p.granted(p.retries[0]):
			p.retries = p.retries[1:]
		case p.fresh != nil && p.granted(p.fresh):
			p.fresh = nil
		default:
			return
		}
	}
}

// queue has a wait for a permit.
func (p *piper) queue(a *ask, retry bool) {
	a.waiter = &waiter{ready: make(chan struct{}, 1), request: Request{
		PromptBytes: a.prompt.bytes, MaxTokens: a.prompt.maxTokens, N: 1, Retry: retry,
	}}
	p.limiter.enter(a.waiter)
}

// granted sends a if it was answered.
func (p *piper) granted(a *ask) bool {
	if a.waiter.parked {
		select {
		case <-a.waiter.ready:
		default:
			return false
		}
	}
	if a.waiter.err != nil {
		p.lost++
		return true
	}
	permit := a.waiter.permit
	p.inFlight++
	p.most = max(p.most, p.inFlight)
	p.count(&p.asked, p.world.now)
	conn := p.conns.take()
	p.site.ask(a.prompt, conn, func(o Outcome) {
		p.inFlight--
		o.FirstTry = a.refused+len(a.streaks) == 0
		streak := permit.Settle(o)
		p.conns.give(conn, p.inFlight, p.limiter.Allowed())
		p.settled(a, o, streak)
	})
	return true
}

// settled counts an outcome of a, and puts it to sleep if it is to be asked again.
func (p *piper) settled(a *ask, o Outcome, streak *Streak) {
	var wait time.Duration
	switch o.Kind {
	case Success:
		p.count(&p.answered, p.world.now)
		return
	case Pressure:
		p.count(&p.refused, p.world.now)
		wait = jitter(p.world, time.Second, a.refused)
		a.refused++
	default:
		p.count(&p.failed, p.world.now)
		if a.streaks = append(a.streaks, streak); a.charged() >= attempts {
			p.lost++
			return
		}
		wait = jitter(p.world, 500*time.Millisecond, len(a.streaks)-1)
	}
	p.asleep++
	p.world.after(max(wait, o.Hint), func() {
		p.asleep--
		p.retries = append(p.retries, a)
		p.queue(a, true)
	})
}

// charged counts the failures that were no outage's.
func (a *ask) charged() (n int) {
	for _, s := range a.streaks {
		if !s.Opened() {
			n++
		}
	}
	return n
}

// jitter is a wait between nothing and first, doubled n times, at most a minute.
func jitter(w *world, first time.Duration, n int) time.Duration {
	most := min(60, first.Seconds()*math.Pow(2, float64(min(n, 10))))
	return time.Duration(w.random.Float64() * most * float64(time.Second))
}

// A script asks as sixty lines would: so many workers, each of which sees one record through with
// exponential backoff, and honours Retry-After for that record.
type script struct {
	tally
	world *world
	site  *site
	conns conns
}

func newScript(w *world, s *site, workers int) *script {
	c := &script{world: w, site: s, tally: tally{begun: w.now, most: workers}}
	for range workers {
		w.after(0, func() { c.work(0) })
	}
	return c
}

// work asks about a record that was refused or failed so often before, and then about the next.
func (c *script) work(tries int) {
	conn := c.conns.take()
	c.count(&c.asked, c.world.now)
	c.site.ask(prompt{bytes: 200, tokens: 50, maxTokens: 100, answer: 40}, conn, func(o Outcome) {
		c.conns.give(conn, 0, c.most)
		switch o.Kind {
		case Success:
			c.count(&c.answered, c.world.now)
			c.work(0)
			return
		case Pressure:
			c.count(&c.refused, c.world.now)
		default:
			c.count(&c.failed, c.world.now)
		}
		c.world.after(max(o.Hint, jitter(c.world, time.Second, tries)), func() { c.work(tries + 1) })
	})
}
