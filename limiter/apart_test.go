package limiter

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// behind is n prompts of which the first so many tokens are the same, and marked for the cache:
// they are there once the first was answered.
func behind(n, same, own, maxTokens, answer int) []prompt {
	r := rand.New(rand.NewPCG(7, 8))
	prompts := make([]prompt, n)
	for i := range prompts {
		size := own/2 + r.IntN(own)
		prompts[i] = prompt{
			bytes: 4 * (same + size), tokens: same + size, maxTokens: maxTokens, answer: max(1, answer/2+r.IntN(max(1, answer))),
		}
		if prompts[i].cached = same; i == 0 {
			prompts[i].cached = min(same, 1)
		}
	}
	return prompts
}

// Limits of Anthropic's kind, told by headers alone: whichever is the tightest is used, and nothing
// is refused. What is read from the cache is not counted, and neither is max_tokens.
func TestInputAndOutputApart(t *testing.T) {
	const latency = 2 * time.Second
	for _, tt := range []struct {
		name    string
		laws    laws
		prompts []prompt
		use     func(second) float64 // of the tightest limit's minute
		least   float64
	}{
		{"input", laws{rpm: 4000, in: 400_000, out: 80_000, latency: latency, jitter: 0.5}, behind(9_000, 0, 1000, 4096, 100),
			func(s second) float64 { return s.input / 400_000 }, 0.95},
		{"output", laws{rpm: 4000, in: 400_000, out: 80_000, latency: latency, jitter: 0.5}, behind(4_000, 0, 200, 4096, 300),
			func(s second) float64 { return s.output / 80_000 }, 0.95},
		{"requests", laws{rpm: 300, in: 400_000, out: 80_000, latency: latency, jitter: 0.5}, behind(3_000, 0, 200, 4096, 100),
			func(s second) float64 { return float64(s.accepted) / 300 }, 0.95},
		{"a long cached prefix", laws{rpm: 4000, in: 400_000, out: 400_000, latency: latency, jitter: 0.5},
			behind(20_000, 10_000, 400, 4096, 100), func(s second) float64 { return s.input / 400_000 }, 0.95},
		{"a few requests a minute", laws{rpm: 50, in: 30_000, out: 8_000, latency: latency, jitter: 0.5}, behind(600, 10_000, 400, 4096, 250),
			func(s second) float64 { return s.output / 8_000 }, 0.93},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sv := newServer(tt.laws)
				l := New(Config{Clock: System})
				defer l.Close()
				const from, to = 60, 360
				ctx, cancel := context.WithTimeout(context.Background(), to*time.Second)
				defer cancel()
				newClient(l, sv).run(ctx, tt.prompts)
				if took := time.Since(sv.start); took < to*time.Second {
					t.Fatalf("the prompts lasted for %v only", took)
				}
				use := tt.use(sv.seen(from, to)) / ((to - from) / 60)
				all := sv.seen(0, to)
				t.Logf("used %.4f, %d of %d refused", use, all.refused, all.refused+all.accepted)
				if use < tt.least {
					t.Errorf("used %.4f of the tightest limit, want %.2f", use, tt.least)
				}
				if all.refused > 0 {
					t.Errorf("%d of %d were refused", all.refused, all.refused+all.accepted)
				}
			})
		})
	}
}

// Whatever is granted and settled in whatever order, each bucket has been charged what was used,
// and the estimates of what is in flight: of input what no cache held, of output what came.
func TestApartBucketsAddUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		clock := &stopped{now: time.Unix(0, 0)}
		l := New(Config{Clock: clock, Concurrency: 1000})
		defer l.Close()
		quota := Quota{Input: Window{Limit: 1 << 45}, Output: Window{Limit: 1 << 45}}
		var out []*Permit
		used := charge{}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			if len(out) > 0 && rapid.Bool().Draw(rt, "settle") {
				i := rapid.IntRange(0, len(out)-1).Draw(rt, "which")
				o := Outcome{Kind: Success, Quota: quota, PromptTokens: rapid.IntRange(1, 20_000).Draw(rt, "prompt"),
					CompletionTokens: rapid.IntRange(0, 5_000).Draw(rt, "completion")}
				o.CachedTokens = rapid.IntRange(0, o.PromptTokens).Draw(rt, "cached")
				out[i].Settle(o)
				out = append(out[:i], out[i+1:]...)
				used[input] += float64(o.PromptTokens - o.CachedTokens)
				used[output] += float64(o.CompletionTokens)
				continue
			}
			r := Request{
				PromptBytes: rapid.IntRange(1000, 80_000).Draw(rt, "bytes"), MaxTokens: rapid.SampledFrom([]int{0, 100, 4096}).Draw(rt, "max"),
			}
			p, err := l.Acquire(rt.Context(), r)
			if err != nil {
				rt.Fatal(err)
			}
			if r.MaxTokens > 0 && p.charged[output] > float64(r.MaxTokens) {
				rt.Fatalf("%v of output expected of %+v", p.charged[output], r)
			}
			out = append(out, p)
			clock.now = clock.now.Add(time.Minute) // so that a bucket never holds one back
		}
		for _, r := range []resource{input, output} {
			sum := used[r]
			for _, p := range out {
				sum += p.charged[r]
			}
			if got := l.buckets[r].spent; math.Abs(got-sum) > 1e-3 {
				rt.Fatalf("%s: charged %.3f, and %.3f were used or are expected", resourceNames[r], got, sum)
			}
		}
	})
}

// stopped is a clock that a test moves.
type stopped struct{ now time.Time }

// Now implements Clock.
func (c *stopped) Now() time.Time { return c.now }

// AfterFunc implements Clock; nothing fires.
func (c *stopped) AfterFunc(time.Duration, func()) Timer { return noTimer{} }

type noTimer struct{}

// Stop implements Timer.
func (noTimer) Stop() bool { return true }

// What is marked for the cache goes alone until one was answered; then nothing is held.
func TestFirstWarmsTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Clock: System, Concurrency: 64})
		defer l.Close()
		granted := make(chan *Permit, 64)
		for range 8 {
			go func() {
				p, err := l.Acquire(t.Context(), Request{PromptBytes: 1000, Warms: true})
				if err != nil {
					t.Error(err)
				}
				granted <- p
			}()
		}
		for i, end := range []func(p *Permit){
			func(p *Permit) { p.Settle(Outcome{Kind: Transient}) }, (*Permit).Drop,
			func(p *Permit) { p.Settle(Outcome{Kind: Success, PromptTokens: 10, CompletionTokens: 1}) },
		} {
			synctest.Wait()
			if len(granted) != 1 {
				t.Fatalf("%d were granted before the answer to number %d", len(granted), i+1)
			}
			end(<-granted)
		}
		synctest.Wait()
		if len(granted) != 5 {
			t.Errorf("%d were granted after the answer, want the other 5", len(granted))
		}
	})
}
