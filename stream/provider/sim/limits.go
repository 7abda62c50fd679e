package sim

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// limits enforces RPM and TPM: a bucket each, refilled continuously, both
// charged at once or not at all.
type limits struct {
	headers bool
	retry   time.Duration // Options.RetryAfter

	mu       sync.Mutex
	requests bucket
	tokens   bucket
}

// newLimits returns nil when o has no limit.
func newLimits(o Options) *limits {
	if o.RPM <= 0 && o.TPM <= 0 {
		return nil
	}
	now := time.Now()
	return &limits{
		headers:  o.Headers,
		retry:    o.RetryAfter,
		requests: newSimBucket(o.RPM, o.Burst, now),
		tokens:   newSimBucket(o.TPM, o.Burst, now),
	}
}

// admit charges one request and its tokens, or says why not, and puts the state
// that this leaves into h.
func (l *limits) admit(h http.Header, model string, tokens int) *apiError {
	if l == nil {
		return nil
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests.refill(now)
	l.tokens.refill(now)
	refusal := l.refusal(model, tokens)
	if refusal == nil {
		l.requests.level--
		l.tokens.level -= float64(tokens)
	}
	if l.headers {
		l.requests.describe(h, "Requests")
		l.tokens.describe(h, "Tokens")
	}
	return refusal
}

func (l *limits) refusal(model string, tokens int) *apiError {
	if l.tokens.limit > 0 && tokens > l.tokens.limit {
		return errTooLarge(model, l.tokens.limit, tokens)
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
		return errLimit("requests", model, l.requests.limit, 1, wait)
	}
	return errLimit("tokens", model, l.tokens.limit, tokens, wait)
}

// refund gives tokens back that were charged and not used.
func (l *limits) refund(tokens int) {
	if l == nil || tokens <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens.level = min(l.tokens.capacity, l.tokens.level+float64(tokens))
}

// bucket holds what may be spent now. It is not safe for concurrent use.
type bucket struct {
	limit    int     // a minute; 0 for no limit
	capacity float64 // what a full bucket holds, at least 1
	level    float64 // below 0 when a charge was larger than the capacity
	at       time.Time
}

func newSimBucket(limit int, burst time.Duration, now time.Time) bucket {
	capacity := max(1, float64(limit)*burst.Minutes())
	return bucket{limit: limit, capacity: capacity, level: capacity, at: now}
}

func (b *bucket) refill(now time.Time) {
	if elapsed := now.Sub(b.at); elapsed > 0 {
		b.level = min(b.capacity, b.level+elapsed.Minutes()*float64(b.limit))
		b.at = now
	}
}

// dust is what the arithmetic of a bucket may lose in rounding.
const dust = 1e-6

// wait returns the time until there is room for charge: a full bucket has room
// for any charge, else one beyond the capacity would wait for ever.
func (b *bucket) wait(charge int) time.Duration {
	if b.limit == 0 {
		return 0
	}
	return b.until(min(float64(charge), b.capacity))
}

// until returns the time until the bucket holds level.
func (b *bucket) until(level float64) time.Duration {
	lacks := level - b.level - dust
	if lacks <= 0 {
		return 0
	}
	return time.Duration(lacks / float64(b.limit) * float64(time.Minute))
}

// describe writes the headers of one limit. The reset is the time until the
// bucket is full.
func (b *bucket) describe(h http.Header, unit string) {
	if b.limit == 0 {
		return
	}
	h["X-Ratelimit-Limit-"+unit] = []string{strconv.Itoa(b.limit)}
	h["X-Ratelimit-Remaining-"+unit] = []string{strconv.Itoa(max(0, int(b.level+dust)))}
	h["X-Ratelimit-Reset-"+unit] = []string{durationText(b.until(b.capacity))}
}
