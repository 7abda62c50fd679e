package sim

import (
	"net/http"
	"sync"
	"time"
)

// limits enforces RPM and TPM. For Anthropic's API it enforces ITPM and OTPM instead of TPM. A
// request is charged to all its limits at once or to none. The exception is Anthropic's output,
// which is charged when it is known (platform.claude.com/docs/en/api/rate-limits).
type limits struct {
	headers bool
	retry   time.Duration // Options.RetryAfter
	start   time.Time

	mu               sync.Mutex
	requests, tokens limit
	input, output    limit
}

// newLimits returns nil if o has no limit.
func newLimits(o Options) *limits {
	if o.RPM <= 0 && o.TPM <= 0 && o.ITPM <= 0 && o.OTPM <= 0 {
		return nil
	}
	return &limits{
		headers:  o.Headers,
		retry:    o.RetryAfter,
		start:    time.Now(),
		requests: newLimit(course{o.RPM, o.RPMChange}, o),
		tokens:   newLimit(course{o.TPM, o.TPMChange}, o),
		input:    newLimit(course{limit: o.ITPM}, o),
		output:   newLimit(course{limit: o.OTPM}, o),
	}
}

// admit charges a request and its tokens, or returns the refusal. It writes the state of the limits
// after that to h.
func (l *limits) admit(h http.Header, q *request, due toll) *apiError {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Since(l.start)
	l.requests.advance(now)
	if q.endpoint.anthropic {
		return l.admitMessage(h, due.input, now)
	}
	tokens := due.tokens
	l.tokens.advance(now)
	refusal := l.refusal(q.model, tokens, now)
	if refusal == nil {
		l.requests.spend(1)
		l.tokens.spend(tokens)
	}
	if l.headers {
		l.requests.describe(h, "Requests", now)
		l.tokens.describe(h, "Tokens", now)
	}
	return refusal
}

func (l *limits) refusal(model string, tokens int, now time.Duration) *apiError {
	if most := l.tokens.course.most(); most > 0 && tokens > most {
		return errTooLarge(model, most, tokens)
	}
	forRequests, forTokens := l.requests.wait(1), l.tokens.wait(tokens)
	wait := ceil(max(forRequests, forTokens))
	if wait == 0 {
		return nil
	}
	if l.retry != 0 {
		wait = l.retry
	}
	if forRequests >= forTokens {
		return errLimit("requests", model, int(l.requests.course.at(now)), 1, wait)
	}
	return errLimit("tokens", model, int(l.tokens.course.at(now)), tokens, wait)
}

// refund gives back tokens that were charged and not used.
func (l *limits) refund(tokens int) {
	if l == nil || tokens <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := l.tokens.meter.(*bucket); ok { // windows give nothing back
		b.level = min(b.capacity(), b.level+float64(tokens))
	}
}
