package limiter

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// The limiter's laws, whatever its users do: see check.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := Config{
			RPM:            rapid.SampledFrom([]int{0, 0, 30, 60, 600, 6000}).Draw(rt, "rpm"),
			TPM:            rapid.SampledFrom([]int{0, 0, 600, 30_000, 600_000}).Draw(rt, "tpm"),
			Headroom:       rapid.SampledFrom([]float64{0, 0, 10}).Draw(rt, "headroom"),
			Concurrency:    rapid.SampledFrom([]int{0, 1, 3}).Draw(rt, "concurrency"),
			MaxConcurrency: 16,
			Clock:          System,
		}
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 80).Draw(rt, "steps")
		var broken error
		synctest.Test(t, func(t *testing.T) {
			w := newWitness(c)
			defer w.close()
			for i, s := range steps {
				if broken = w.take(s); broken != nil {
					broken = fmt.Errorf("step %d, %+v: %w", i, s, broken)
					return
				}
			}
		})
		if broken != nil {
			rt.Fatal(broken)
		}
	})
}

// A step is one thing that a user of the limiter can do.
type step struct {
	Do      string // acquire, settle, drop, cancel or sleep
	Request Request
	Outcome Outcome
	Sleep   time.Duration
	Pick    int // of the permits, or the waiters
}

func drawStep(t *rapid.T) step {
	s := step{
		Do:   rapid.SampledFrom([]string{"acquire", "acquire", "acquire", "settle", "settle", "drop", "cancel", "sleep"}).Draw(t, "do"),
		Pick: rapid.IntRange(0, 1000).Draw(t, "pick"),
	}
	switch s.Do {
	case "acquire":
		s.Request = Request{
			PromptBytes: rapid.IntRange(0, 2000).Draw(t, "bytes"),
			MaxTokens:   rapid.IntRange(0, 700).Draw(t, "max tokens"),
			Retry:       rapid.Bool().Draw(t, "retry"),
		}
	case "settle":
		s.Outcome.Kind = rapid.SampledFrom([]Kind{Cancelled, Success, Success, Pressure, Transient, Terminal}).Draw(t, "kind")
		s.Outcome.FirstTry = rapid.Bool().Draw(t, "first try")
		if s.Outcome.Kind == Pressure {
			s.Outcome.Hint = time.Duration(rapid.IntRange(0, 5000).Draw(t, "hint")) * time.Millisecond
		}
	case "sleep":
		s.Sleep = time.Duration(rapid.IntRange(1, 20_000).Draw(t, "sleep")) * time.Millisecond
	}
	return s
}

// A call is one Acquire, from outside.
type call struct {
	request Request
	cancel  context.CancelFunc
	done    chan struct{}
	permit  *Permit
	err     error
}

// A witness uses a limiter and sees whether it keeps its laws.
type witness struct {
	limiter *Limiter
	config  Config
	waiting [2][]*call // new and retries, in order of arrival
	out     []*Permit
	granted []*Permit // in order of time, less the dropped ones
	paused  time.Time // as it was said at the last look
	probed  bool      // the breaker was open at the last look

	grants, settled, dropped int64
}

func newWitness(c Config) *witness { return &witness{limiter: New(c), config: c} }

func (w *witness) close() {
	for _, class := range w.waiting {
		for _, c := range class {
			c.cancel()
		}
	}
	synctest.Wait()
	w.limiter.Close()
}

func (w *witness) take(s step) error {
	switch s.Do {
	case "acquire":
		ctx, cancel := context.WithCancel(context.Background())
		c := &call{request: s.Request, cancel: cancel, done: make(chan struct{})}
		w.waiting[class(s.Request)] = append(w.waiting[class(s.Request)], c)
		go func() {
			c.permit, c.err = w.limiter.Acquire(ctx, s.Request)
			close(c.done)
		}()
	case "settle", "drop":
		if len(w.out) == 0 {
			return nil
		}
		i := s.Pick % len(w.out)
		p := w.out[i]
		w.out = append(w.out[:i:i], w.out[i+1:]...)
		if s.Do == "drop" {
			w.dropped++
			p.Drop()
			w.granted = without(w.granted, p)
		} else {
			w.settled++
			p.Settle(s.Outcome)
		}
	case "cancel":
		all := append(append([]*call(nil), w.waiting[0]...), w.waiting[1]...)
		if len(all) == 0 {
			return nil
		}
		all[s.Pick%len(all)].cancel()
	case "sleep":
		// In small steps, so that what is granted meanwhile is seen in its order.
		for end := time.Now().Add(s.Sleep); time.Now().Before(end); {
			time.Sleep(min(time.Until(end), 100*time.Millisecond))
			if err := w.check(); err != nil {
				return err
			}
		}
	}
	return w.check()
}

func class(r Request) int {
	if r.Retry {
		return 1
	}
	return 0
}

func without(permits []*Permit, p *Permit) []*Permit {
	for i := range permits {
		if permits[i] == p {
			return append(permits[:i:i], permits[i+1:]...)
		}
	}
	return permits
}

// check looks at what was granted since the last look, and at who still waits.
func (w *witness) check() error {
	synctest.Wait()
	var granted [2]int
	for k := range w.waiting {
		var still []*call
		for _, c := range w.waiting[k] {
			select {
			case <-c.done:
			default:
				still = append(still, c)
				continue
			}
			if c.err != nil {
				continue
			}
			if len(still) > 0 {
				return fmt.Errorf("class %d: one was granted before another that came earlier", k)
			}
			granted[k]++
			w.grants++
			w.out = append(w.out, c.permit)
			w.granted = append(w.granted, c.permit)
			if c.permit.sent.Before(w.paused) {
				return fmt.Errorf("granted at %v during a pause until %v", c.permit.sent, w.paused)
			}
		}
		w.waiting[k] = still
	}
	w.paused = w.limiter.Stats().PausedUntil
	probed := w.probed
	w.probed = w.limiter.breaker.open
	slices.SortStableFunc(w.granted, func(a, b *Permit) int { return a.sent.Compare(b.sent) })
	if granted[0] > 0 && len(w.waiting[1]) > 0 && !probed && !w.probed { // probes are new requests
		return fmt.Errorf("a new request was granted while a retry waits")
	}
	if err := w.conserved(); err != nil {
		return err
	}
	if err := w.idle(); err != nil {
		return err
	}
	return w.paced()
}

// conserved: granted = settled + dropped + in flight, by both counts.
func (w *witness) conserved() error {
	s := w.limiter.Stats()
	waiting := len(w.waiting[0]) + len(w.waiting[1])
	if s.Granted != w.grants || s.Settled != w.settled || s.Dropped != w.dropped ||
		s.InFlight != len(w.out) || s.Waiting != waiting || s.Granted != s.Settled+s.Dropped+int64(s.InFlight) {
		return fmt.Errorf("stats %+v, but %d granted, %d settled, %d dropped, %d out, %d waiting",
			s, w.grants, w.settled, w.dropped, len(w.out), waiting)
	}
	return nil
}

// idle: no waiter waits who could go, and one that only time keeps has a timer.
func (w *witness) idle() error {
	l := w.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance()
	l.pump() // as after every event
	head := l.first()
	if head == nil {
		return nil
	}
	soon := l.now.Add(time.Microsecond) // what rounding may cost
	switch wait := l.wait(l.estimate.charge(head.request)); {
	case wait == 0 && (l.wake == nil || l.wakeAt.After(soon)):
		return fmt.Errorf("%+v waits, but every gate has room", head.request)
	case wait < forever && l.wake == nil:
		return fmt.Errorf("%+v waits for %v, but no timer runs", head.request, wait)
	case wait < forever && l.wakeAt.After(soon.Add(wait)):
		return fmt.Errorf("%+v waits for %v, but the timer runs until %v", head.request, wait, l.wakeAt)
	}
	return nil
}

// paced: in no span of time was more granted of a told limit than its rate
// allows, one bucket and one request on top.
func (w *witness) paced() error {
	told := charge{requests: float64(w.config.RPM), tokens: float64(w.config.TPM)}
	for r, limit := range told {
		limit *= 1 - w.config.Headroom/100
		if limit == 0 {
			continue
		}
		depth := max(1, limit/600)
		for i := range w.granted {
			sum := 0.0
			for _, p := range w.granted[i:] {
				span := p.sent.Sub(w.granted[i].sent)
				allowed := limit*span.Minutes() + depth + p.charged[r]
				if sum += p.charged[r]; sum > allowed+1e-6 {
					return fmt.Errorf("%.3f of %s granted within %v, want at most %.3f", sum, resourceNames[r], span, allowed)
				}
			}
		}
	}
	return nil
}
