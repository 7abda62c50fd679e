package limiter

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// A client asks a server a list of prompts through a limiter, as the pipeline
// does: one goroutine hands out new prompts, a refused or failed one sleeps
// without a permit and comes back as a retry, and nothing new is read while
// twice the allowed number are unanswered.
type client struct {
	limiter *Limiter
	server  *server

	answered atomic.Int64
	charged  atomic.Int64 // attempts charged for failures
	gaveUp   atomic.Int64
	last     atomic.Int64 // nanoseconds from the server's start to the last answer
	jitter   *rand.Rand
	mu       sync.Mutex
}

func newClient(l *Limiter, s *server) *client {
	return &client{limiter: l, server: s, jitter: rand.New(rand.NewPCG(1, 2))}
}

// run asks them all, until ctx ends.
func (c *client) run(ctx context.Context, prompts []prompt) {
	done := make(chan struct{}, len(prompts))
	unanswered := 0
	for _, p := range prompts {
		for unanswered >= 2*c.limiter.Allowed() {
			<-done
			unanswered--
		}
		permit, err := c.limiter.Acquire(ctx, c.request(p, false))
		if err != nil {
			c.gaveUp.Add(1)
			continue
		}
		unanswered++
		go func() {
			c.see(ctx, p, permit)
			done <- struct{}{}
		}()
	}
	for range unanswered {
		<-done
	}
}

func (c *client) request(p prompt, retry bool) Request {
	return Request{PromptBytes: p.bytes, MaxTokens: p.maxTokens, N: 1, Retry: retry, Warms: p.cached > 0}
}

// see one prompt through to its answer.
func (c *client) see(ctx context.Context, p prompt, permit *Permit) {
	var owed []*Streak
	for try := 0; ; try++ {
		o := c.server.ask(p)
		o.FirstTry = try == 0
		if streak := permit.Settle(o); o.Kind == Transient {
			owed = append(owed, streak)
		}
		if o.Kind == Success {
			break
		}
		time.Sleep(max(o.Hint, c.backoff(try)))
		var err error
		if permit, err = c.limiter.Acquire(ctx, c.request(p, true)); err != nil {
			c.gaveUp.Add(1)
			return
		}
	}
	for _, streak := range owed {
		if !streak.Opened() {
			c.charged.Add(1)
		}
	}
	c.answered.Add(1)
	c.last.Store(int64(time.Since(c.server.start)))
}

// backoff is a second, doubling to a minute, full jitter.
func (c *client) backoff(try int) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := min(60, math.Pow(2, float64(try)))
	return time.Duration(c.jitter.Float64() * most * float64(time.Second))
}

// alike is n prompts of 50 tokens.
func alike(n int) []prompt {
	prompts := make([]prompt, n)
	for i := range prompts {
		prompts[i] = prompt{bytes: 200, tokens: 50, maxTokens: 100, answer: 40}
	}
	return prompts
}

// mixed is n prompts from 10 to 4,000 tokens, as many short as long ones, of
// texts that need from 3 to 5 bytes a token.
func mixed(n, maxTokens int) []prompt {
	r := rand.New(rand.NewPCG(3, 4))
	prompts := make([]prompt, n)
	for i := range prompts {
		size := 10 * math.Pow(400, r.Float64())
		prompts[i] = prompt{
			bytes:     int(size * (3 + 2*r.Float64())),
			tokens:    int(size),
			maxTokens: maxTokens,
			answer:    1 + r.IntN(maxTokens),
		}
	}
	return prompts
}
