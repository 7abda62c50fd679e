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
	// Cost is the most that the request can cost, in billionths of a US dollar;
	// 0 where there is no budget.
	Cost int64
	// Movable says that the request can go to another lane: it fails with
	// ErrOpen instead of waiting for an open breaker. It goes as the probe, if
	// one is due.
	Movable bool
	// Trial says that it goes although the lane is shut, to find out whether it still has to be.
	Trial bool
	// Retry puts the request ahead of all that are not retries.
	Retry bool
	// Warms says that the request marks a part of its prompt for the provider's cache. Until one such
	// was answered they go one at a time: those that are asked together would each pay for writing
	// what the first has written.
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
	// CachedTokens is how many of PromptTokens were read from the provider's cache. Where input is
	// limited apart they are not counted.
	CachedTokens int
	// Cost is what the answer cost, in billionths of a US dollar. CostUnclear says
	// that the provider may charge for the request and nobody said how much, as
	// after a time-out: its worst case stays reserved.
	Cost        int64
	CostUnclear bool
	// Hint is how long the provider asked to wait, 0 when it did not say. Its record is the
	// caller's to hold; it holds the lane only where nothing is accepted meanwhile.
	Hint time.Duration
	// Suspect says of a failure that it is probably the record's own: it failed before, and others
	// were answered. It neither opens the breaker nor keeps it open.
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
	tries    bool    // sent while more places were tried than are known
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

// Raise sets more aside for the request than its Cost was, room or not: so much may it cost as is
// known now. A permit that was ended, or has as much, is left alone.
func (p *Permit) Raise(cost int64) {
	l := p.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if more := cost - p.request.Cost; more > 0 && !p.ended {
		p.request.Cost = cost
		l.budgets.raise(more)
	}
}

// Drop ends the permit of a request that was not sent: its place is free again, and what it was
// charged comes back, as far as time has not made up for it. One that was cancelled on its way is
// settled as Cancelled instead, for the provider may have counted it.
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
	l.end(p, void, Outcome{})
	l.pump()
}
