package limiter

import "time"

// Request is what a caller knows of a request before it is sent.
type Request struct {
	// PromptBytes is the length of the prompt's text. Leave out what is not
	// text, such as images within the body: they cost far fewer tokens a byte.
	PromptBytes int
	// MaxTokens is the most completion tokens that can come back: max_tokens
	// times n. 0 means unknown.
	MaxTokens int
	// N is the number of choices asked for; 0 counts as 1.
	N int
	// Cost is the most that the request can cost, in billionths of a US dollar; 0 if there is no
	// budget.
	Cost int64
	// Movable says that the request can go to another lane: it fails with
	// ErrOpen instead of waiting for an open breaker. It goes as the probe, if
	// one is due.
	Movable bool
	// Trial says that the request goes although the lane is shut, to find out whether the lane must
	// stay shut.
	Trial bool
	// Retry puts the request ahead of all that are not retries.
	Retry bool
	// Warms says that the request marks a part of its prompt for the provider's cache. Until one such
	// request was answered, they go one at a time: sent together, each would pay for writing what the
	// first has written.
	Warms bool
}

// Kind says what became of a request, as far as holding back is concerned.
type Kind int

// The kinds. The zero Kind teaches nothing.
const (
	Cancelled Kind = iota // given up on the way by the caller; it may have been counted
	Success               // a usable answer
	Pressure              // 429, 529 and their kin: asked to slow down
	Transient             // a failure that may pass: 5xx, time-out, reset
	Terminal              // an answer that is the record's own fault; the provider lives
)

// Outcome is what the provider said to one request.
type Outcome struct {
	Kind Kind
	// FirstTry is true if the record had not been sent before.
	FirstTry bool
	// PromptTokens and CompletionTokens are the usage in the answer, 0 and 0
	// when unknown.
	PromptTokens     int
	CompletionTokens int
	// CachedTokens is how many of PromptTokens were read from the provider's cache. A separate limit
	// of input does not count them.
	CachedTokens int
	// Cost is what the answer cost, in billionths of a US dollar. CostUnclear says
	// that the provider may charge for the request and nobody said how much, as
	// after a time-out: its worst case stays reserved.
	Cost        int64
	CostUnclear bool
	// Hint is how long the provider asked to wait, 0 if it did not say. It is up to the caller to hold
	// the record that long. The package comment says when a hint holds the lane.
	Hint time.Duration
	// Suspect says that a failure is probably the record's own: the record failed before, and others
	// were answered. Such a failure neither opens the breaker nor keeps it open.
	Suspect bool
	// Overloaded says that a Pressure is the provider's state rather than the caller's rate: 503 or
	// 529. Without a Hint it counts for the breaker like a Transient.
	Overloaded bool
	// Quota is what the answer's headers said; zero when nothing.
	Quota Quota
}

// Permit allows one request to be sent, once. It ends in Settle or Drop;
// whichever comes first counts, the other does nothing. A permit that is never
// ended holds its place for ever.
type Permit struct {
	limiter  *Limiter
	request  Request
	sent     time.Time
	charged  charge
	counted  float64 // tokens of it, as the provider counts them
	spent    charge  // each bucket's total just after this charge
	inFlight int     // with this one
	n        int     // its number among the sends
	sample   int     // of the trial that its answer belongs to; 0: none
	probe    bool    // sent to see whether an open breaker may close
	tries    int     // requests in flight, if it was sent to try more places than are known; else 0
	warms    bool    // others wait for its answer
	ended    bool
}

// Settle ends the permit with what the provider said. After a Transient it
// returns the streak of failures that this one belongs to, otherwise nil.
func (p *Permit) Settle(o Outcome) *Streak {
	l := p.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.ended {
		return nil
	}
	p.ended = true
	l.settled++
	l.inFlight--
	l.cache.end(p, o.Kind == Success)
	l.advance()
	l.budgets.settle(p.request.Cost, o.Cost, o.CostUnclear, l)
	streak := l.learn(p, o)
	l.pump()
	return streak
}

// Raise sets cost aside for the request, room or not, because it is known by now that the request
// may cost so much. It does nothing if the permit has ended, or if as much is set aside already.
func (p *Permit) Raise(cost int64) {
	l := p.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if more := cost - p.request.Cost; more > 0 && !p.ended {
		p.request.Cost = cost
		l.budgets.raise(more)
	}
}

// Drop ends the permit of a request that was not sent. Its place is free again, and what it was
// charged comes back, as far as time has not made up for it. A request that was cancelled on its
// way must be settled as Cancelled instead, because the provider may have counted it.
func (p *Permit) Drop() {
	l := p.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.ended {
		return
	}
	p.ended = true
	l.dropped++
	l.inFlight--
	l.cache.end(p, false)
	l.advance()
	for r := range l.buckets {
		l.buckets[r].giveBack(p.charged[r], l.now.Sub(p.sent))
	}
	l.used.add(l.now, -1, -p.counted)
	l.budgets.settle(p.request.Cost, 0, false, l)
	l.breaker.abandon(p)
	l.end(p, unsent, Outcome{})
	l.pump()
}
