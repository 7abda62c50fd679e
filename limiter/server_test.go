package limiter

import (
	"cmp"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// laws are those of a server: a bucket for requests and one for tokens that
// fill evenly and refuse what they do not hold, places, and a latency.
type laws struct {
	rpm, tpm float64       // 0: no limit
	in, out  float64       // a minute, of Anthropic's kind: input that no cache holds, and output as it comes
	burst    time.Duration // how much of the minute a bucket holds; 0: all of it
	others   float64       // share of the limits that somebody else uses up
	silent   bool          // no headers

	places  int           // at once; beyond: refused; 0: any number
	slots   int           // that work; beyond: waits in line; 0: any number
	latency time.Duration // of an answer, once it is worked on
	travel  time.Duration // of a request to it, at most: some overtake others
	refusal time.Duration // how long one takes; 0: it is quick
	jitter  float64       // latency is uniform within this share of it
	slowAt  time.Duration // from then on answers take slowBy times as long
	slowBy  float64
	down    [2]time.Duration // from, to: everything fails
	press   [2]time.Duration // from, to: everything is refused, with no hint
	faulty  float64          // share that fails at any time
}

// quickest is the longest that a quick refusal takes.
const quickest = 500 * time.Millisecond

// A server is a provider as the limiter sees it, in fake time.
type server struct {
	laws
	mu       sync.Mutex
	start    time.Time
	at       time.Time
	requests float64 // in the buckets
	tokens   float64
	input    float64
	output   float64
	inFlight int
	seconds  []second
	fails    int // while down
	working  chan struct{}
	random   *rand.Rand
}

// second is what a server saw and did in one second.
type second struct {
	accepted int
	refused  int
	asked    int
	tokens   float64 // charged
	input    float64
	output   float64
	inFlight int // most at once, of the accepted
}

// A prompt is what is asked, and what the server will make of it.
type prompt struct {
	bytes     int
	tokens    int // as the server counts
	cached    int // of tokens, read from its cache
	maxTokens int
	answer    int // completion tokens
}

func newServer(l laws) *server {
	if l.burst == 0 {
		l.burst = time.Minute
	}
	s := &server{laws: l, start: time.Now(), at: time.Now(), random: rand.New(rand.NewPCG(5, 6))}
	s.working = make(chan struct{}, cmp.Or(l.slots, 1<<16))
	s.requests, s.tokens, s.input, s.output = s.depth(s.rpm), s.depth(s.tpm), s.depth(s.in), s.depth(s.out)
	return s
}

func (s *server) depth(perMinute float64) float64 {
	return max(1, perMinute*s.burst.Minutes())
}

func (s *server) second() *second {
	n := int(time.Since(s.start) / time.Second)
	for len(s.seconds) <= n {
		s.seconds = append(s.seconds, second{})
	}
	return &s.seconds[n]
}

func (s *server) within(span [2]time.Duration) bool {
	since := time.Since(s.start)
	return since >= span[0] && since < span[1]
}

// admit decides on a request at once, as OpenAI does: its whole max_tokens
// counts before it is answered. It returns the outcome if that is decided too.
func (s *server) admit(p prompt) (refusal Outcome, refused bool) {
	passed := time.Since(s.at).Minutes() * (1 - s.others)
	s.at = time.Now()
	s.requests = min(s.depth(s.rpm), s.requests+passed*s.rpm)
	s.tokens = min(s.depth(s.tpm), s.tokens+passed*s.tpm)
	s.input = min(s.depth(s.in), s.input+passed*s.in)
	s.output = min(s.depth(s.out), s.output+passed*s.out)
	now := s.second()
	now.asked++
	cost := float64(p.tokens + p.maxTokens)
	switch {
	case s.within(s.down):
		s.fails++
		return Outcome{Kind: Transient}, true
	case s.random.Float64() < s.faulty:
		return Outcome{Kind: Transient}, true
	case s.within(s.press):
		now.refused++
		return Outcome{Kind: Pressure}, true
	case s.places > 0 && s.inFlight >= s.places:
		now.refused++
		return Outcome{Kind: Pressure}, true
	case s.rpm > 0 && s.requests < 1-1e-6:
		now.refused++
		hint := time.Duration((1 - s.requests) / s.rpm * float64(time.Minute))
		return Outcome{Kind: Pressure, Hint: hint, Quota: s.quota()}, true
	case s.tpm > 0 && s.tokens < cost-1e-6:
		now.refused++
		hint := time.Duration((cost - s.tokens) / s.tpm * float64(time.Minute))
		return Outcome{Kind: Pressure, Hint: hint, Quota: s.quota()}, true
	}
	if short := max(s.shortOf(s.in, s.input, float64(p.tokens-p.cached)), s.shortOf(s.out, s.output, 1)); short > 0 {
		now.refused++
		return Outcome{Kind: Pressure, Hint: short, Quota: s.quota()}, true
	}
	if s.rpm > 0 {
		s.requests--
	}
	if s.tpm > 0 {
		s.tokens -= cost
	}
	if s.in > 0 {
		s.input -= float64(p.tokens - p.cached)
		now.input += float64(p.tokens - p.cached)
	}
	now.accepted++
	now.tokens += cost
	s.inFlight++
	now.inFlight = max(now.inFlight, s.inFlight)
	return Outcome{}, false
}

// shortOf is how long until a bucket that fills by so much a minute has room for cost.
func (s *server) shortOf(limit, level, cost float64) time.Duration {
	if limit == 0 || level >= cost-1e-6 {
		return 0
	}
	return time.Duration((cost - level) / limit * float64(time.Minute))
}

func (s *server) quota() Quota {
	var q Quota
	if s.silent {
		return q
	}
	if s.rpm > 0 {
		q.Requests = Window{Limit: int(s.rpm), Remaining: int(s.requests), Known: true}
	}
	if s.tpm > 0 {
		q.Tokens = Window{Limit: int(s.tpm), Remaining: int(s.tokens), Known: true}
	}
	if s.in > 0 {
		q.Input = Window{Limit: int(s.in), Remaining: max(0, int(math.Round(s.input/1000)*1000)), Known: true}
	}
	if s.out > 0 {
		q.Output = Window{Limit: int(s.out), Remaining: max(0, int(math.Round(s.output/1000)*1000)), Known: true}
	}
	return q
}

// ask answers p, in the server's own time.
func (s *server) ask(p prompt) Outcome {
	s.mu.Lock()
	travels := time.Duration(s.random.Float64() * float64(s.travel))
	s.mu.Unlock()
	time.Sleep(travels)
	s.mu.Lock()
	o, refused := s.admit(p)
	if refused {
		s.mu.Unlock()
		time.Sleep(cmp.Or(s.refusal, min(s.latency/10, quickest)))
		return o
	}
	took := s.latency.Seconds() * (1 + s.jitter*(2*s.random.Float64()-1))
	if s.slowBy > 0 && time.Since(s.start) >= s.slowAt {
		took *= s.slowBy
	}
	q := s.quota()
	s.mu.Unlock()

	s.working <- struct{}{}
	time.Sleep(time.Duration(took * float64(time.Second)))
	<-s.working

	s.mu.Lock()
	s.inFlight--
	if s.out > 0 {
		s.output -= float64(p.answer)
		s.second().output += float64(p.answer)
	}
	s.mu.Unlock()
	return Outcome{Kind: Success, PromptTokens: p.tokens, CachedTokens: p.cached, CompletionTokens: p.answer, Quota: q}
}

// seen sums up the seconds from and before to.
func (s *server) seen(from, to int) (sum second) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sec := range s.seconds[min(from, len(s.seconds)):min(to, len(s.seconds))] {
		sum.accepted += sec.accepted
		sum.refused += sec.refused
		sum.asked += sec.asked
		sum.tokens += sec.tokens
		sum.input += sec.input
		sum.output += sec.output
		sum.inFlight = max(sum.inFlight, sec.inFlight)
	}
	return sum
}
