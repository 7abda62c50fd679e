package limiter

import (
	"math"
	"time"
)

// A site is a provider, by the laws under which it answers. What is not set does not limit.
type site struct {
	world *world
	begun time.Time

	latency  func(since time.Duration) time.Duration // mean; default 400 ms
	jitter   float64                                 // uniform within this share of it; default 0.5
	slow     float64                                 // share that takes 10 s
	chance   float64                                 // share refused whatever is sent
	errors   float64                                 // share that fails whatever is sent
	resets   float64                                 // share whose connection is reset
	overload bool                                    // refusals are 503 or 529, not 429
	hint     time.Duration                           // said with a refusal
	exact    bool                                    // the hint is when there will be room
	places   int                                     // answered at once; beyond: refused
	fails    bool                                    // beyond places: failed, not refused
	rate     func(since time.Duration) float64       // requests a second
	burst    float64                                 // seconds' worth that a bucket holds; default 1
	window   time.Duration                           // the rate is counted in windows of this length
	sliding  bool                                    // that reach back from now
	tokens   float64                                 // a second, max_tokens counted beforehand
	threads  int                                     // that work, each bound to a connection until it is closed or idle for 5 s
	down     func(since time.Duration) bool          // connections are reset
	headers  bool                                    // tell the limits
	odd      int                                     // one answer in so many tells a limit of 60 that is not there

	at       time.Time
	level    float64 // of the bucket
	tlevel   float64
	recent   []time.Time // accepted, in the window
	inFlight int
	count    int
	bound    int // threads that have a connection
	line     []*conn
	onAsk    func() func(Outcome) // called at a request, and what it returns with its outcome; nil: nothing is
}

func newSite(w *world, s site) *site {
	s.world, s.begun, s.at = w, w.now, w.now
	if s.latency == nil {
		s.latency = func(time.Duration) time.Duration { return 400 * time.Millisecond }
	}
	if s.jitter == 0 {
		s.jitter = 0.5
	}
	if s.burst == 0 {
		s.burst = 1
	}
	if s.rate != nil {
		s.level = s.depth()
	}
	s.tlevel = s.tokens * s.burst
	return &s
}

// steady is a rate that does not change.
func steady(perSecond float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return perSecond }
}

func (s *site) since() time.Duration { return s.world.now.Sub(s.begun) }

func (s *site) depth() float64 { return max(1, s.rate(s.since())*s.burst) }

// ask has p answered over c: then is called with the outcome, later.
func (s *site) ask(p prompt, c *conn, then func(Outcome)) {
	if s.onAsk != nil {
		seen, tell := s.onAsk(), then
		then = func(o Outcome) { seen(o); tell(o) }
	}
	o, accepted := s.admit(p)
	if !accepted {
		quick := time.Duration(10+20*s.world.random.Float64()) * time.Millisecond
		s.world.after(quick, func() { then(o) })
		return
	}
	s.inFlight++
	took := s.latency(s.since()).Seconds() * (1 + s.jitter*(2*s.world.random.Float64()-1))
	if s.slow > 0 && s.world.random.Float64() < s.slow {
		took = 10
	}
	done := func() {
		s.inFlight--
		then(Outcome{Kind: Success, PromptTokens: p.tokens, CompletionTokens: p.answer, Quota: s.quota()})
	}
	serve := func() { s.world.after(time.Duration(took*float64(time.Second)), done) }
	if s.threads > 0 {
		c.site = s
		c.serve(serve)
		return
	}
	serve()
}

// admit decides at once on a request.
func (s *site) admit(p prompt) (Outcome, bool) {
	r := s.world.random.Float64()
	s.refill()
	switch {
	case s.down != nil && s.down(s.since()):
		return Outcome{Kind: Transient}, false
	case r < s.errors+s.resets:
		return Outcome{Kind: Transient}, false
	case r < s.errors+s.resets+s.chance:
		return s.refusal(s.hint), false
	case s.places > 0 && s.inFlight >= s.places:
		if s.fails {
			return Outcome{Kind: Transient}, false
		}
		return s.refusal(s.hint), false
	case s.rate == nil && s.tokens == 0:
		return Outcome{}, true
	case s.window > 0:
		return s.windowed()
	}
	cost := float64(p.tokens + p.maxTokens)
	short := 0.0 // seconds
	if s.rate != nil {
		short = max(short, (1-s.level)/s.rate(s.since()))
	}
	if s.tokens > 0 {
		short = max(short, (cost-s.tlevel)/s.tokens)
	}
	if short > 1e-9 {
		hint := s.hint
		if s.exact {
			hint = time.Duration(math.Ceil(short * float64(time.Second)))
		}
		return s.refusal(hint), false
	}
	s.level--
	s.tlevel -= cost
	return Outcome{}, true
}

func (s *site) refusal(hint time.Duration) Outcome {
	return Outcome{Kind: Pressure, Overloaded: s.overload, Hint: hint, Quota: s.quota()}
}

// refill brings the buckets to now.
func (s *site) refill() {
	passed := s.world.now.Sub(s.at).Seconds()
	s.at = s.world.now
	if s.rate != nil && s.window == 0 {
		s.level = min(s.depth(), s.level+passed*s.rate(s.since()))
	}
	s.tlevel = min(s.tokens*s.burst, s.tlevel+passed*s.tokens)
}

// windowed decides by what was accepted in the window.
func (s *site) windowed() (Outcome, bool) {
	now := s.world.now
	opened := now.Add(-s.window)
	if !s.sliding {
		opened = s.begun.Add(s.since().Truncate(s.window))
	}
	for len(s.recent) > 0 && (s.recent[0].Before(opened) || s.sliding && s.recent[0].Equal(opened)) {
		s.recent = s.recent[1:]
	}
	if float64(len(s.recent)) < s.rate(s.since())*s.window.Seconds() {
		s.recent = append(s.recent, now)
		return Outcome{}, true
	}
	hint := s.hint
	if s.exact {
		hint = opened.Add(s.window).Sub(now)
		if s.sliding {
			hint = s.recent[0].Add(s.window).Sub(now)
		}
	}
	return s.refusal(hint), false
}

func (s *site) quota() Quota {
	var q Quota
	s.count++
	if s.odd > 0 && s.count%s.odd == 0 {
		q.Requests = Window{Limit: 60, Remaining: 59, Known: true}
	}
	if !s.headers {
		return q
	}
	if s.rate != nil {
		q.Requests = Window{Limit: int(60 * s.rate(s.since())), Remaining: int(s.level), Known: true}
	}
	if s.tokens > 0 {
		q.Tokens = Window{Limit: int(60 * s.tokens), Remaining: int(s.tlevel), Known: true}
	}
	return q
}

// A conn is a kept-alive connection of a client. Where threads are bound to them, one that has none
// waits for its turn, and what is asked over it waits with it.
type conn struct {
	site    *site
	bound   bool
	waiting func()
	idle    *event
	closed  bool
}

// serve answers over c once a thread is bound to it.
func (c *conn) serve(work func()) {
	if c.idle != nil {
		c.idle.Stop()
		c.idle = nil
	}
	if c.bound {
		work()
		return
	}
	c.waiting = work
	c.site.line = append(c.site.line, c)
	c.site.bind()
}

// bind gives free threads to those who wait for one.
func (s *site) bind() {
	for s.bound < s.threads && len(s.line) > 0 {
		c := s.line[0]
		s.line = s.line[1:]
		if c.closed {
			continue
		}
		s.bound++
		c.bound = true
		if c.waiting != nil {
			work := c.waiting
			c.waiting = nil
			work()
		} else {
			c.rest()
		}
	}
}

// rest has c's thread wait for the next request, for 5 s.
func (c *conn) rest() {
	c.idle = c.site.world.after(5*time.Second, c.close)
}

func (c *conn) close() {
	if c.closed {
		return
	}
	c.closed = true
	if c.bound {
		c.bound = false
		c.site.bound--
		c.site.bind()
	}
}

// conns are a client's idle connections, the last used first, as net/http keeps them.
type conns []*conn

func (c *conns) take() *conn {
	for len(*c) > 0 {
		last := (*c)[len(*c)-1]
		*c = (*c)[:len(*c)-1]
		if !last.closed {
			return last
		}
	}
	return &conn{}
}

// give returns a connection after its answer. It is closed where more are open than may be used.
func (c *conns) give(x *conn, inFlight, allowed int) {
	if x.site == nil {
		return
	}
	if inFlight >= allowed {
		x.close()
		return
	}
	x.rest()
	*c = append(*c, x)
}
