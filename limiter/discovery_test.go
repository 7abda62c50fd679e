package limiter

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestDiscovery(t *testing.T) {
	buckets := new([resources]bucket)
	for r := range buckets {
		buckets[r] = newBucket(0, 0, noon)
	}
	d := discovery{since: noon, probe: firstProbe}
	now := noon
	send := func() *Permit {
		return &Permit{sent: now, charged: charge{requests: 1, tokens: 100, input: 40, output: 60}}
	}
	// accept n, evenly over span.
	accept := func(n int, span time.Duration) {
		for range n {
			now = now.Add(span / time.Duration(n))
			d.accept(send(), buckets, now)
		}
	}
	expect := func(when string, rpm float64) {
		t.Helper()
		if got := buckets[requests].limit; got < rpm-1e-6 || got > rpm+1e-6 {
			t.Errorf("%s: %v requests a minute, want %v", when, got, rpm)
		}
		if got := buckets[tokens].limit; got < 100*rpm-1e-3 || got > 100*rpm+1e-3 {
			t.Errorf("%s: %v tokens a minute, want %v", when, got, 100*rpm)
		}
	}
	accept(80, 8*time.Second)
	expect("before any refusal", 0)
	late := send()
	d.refuse(send(), buckets, now)
	expect("after 600 a minute were accepted", 570)
	now = now.Add(5 * time.Second)
	late.sent = now.Add(-6 * time.Second)
	d.refuse(late, buckets, now)
	expect("a refusal of what was sent before", 570)
	d.refuse(send(), buckets, now)
	expect("nothing accepted since", 570./2*backOff)
	found := 570. / 2 * backOff
	accept(5, 10*time.Second)
	expect("a limit that is not used", found)
	accept(50, 10*time.Second)
	expect("a limit that is used", found*1.01)
	accept(50, 10*time.Second)
	expect("and again", found*1.01*1.02)
	if buckets[input].limit != 0 || buckets[output].limit != 0 {
		t.Error("input and output were limited, which nothing can tell apart")
	}
	buckets[requests].teach(Window{Limit: 1000}, 0, 0)
	if got := buckets[requests].limit; got != 970 {
		t.Errorf("%v after a header, want 970", got)
	}
}

// One answer in twenty is a refusal, however slowly requests are sent: a rate that follows them down is no rate.
func TestRefusalsByChanceTeachNoRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 64, Clock: System})
		defer l.Close()
		const requests = 20_000
		var sent, done atomic.Int64
		var askers sync.WaitGroup
		for range 64 {
			askers.Go(func() {
				for done.Load() < requests {
					p, err := l.Acquire(t.Context(), Request{PromptBytes: 300, MaxTokens: 100})
					if err != nil {
						t.Error(err)
						return
					}
					time.Sleep(50 * time.Millisecond)
					if sent.Add(1)%20 == 0 {
						p.Settle(Outcome{Kind: Pressure, Hint: 10 * time.Millisecond})
						continue
					}
					done.Add(1)
					p.Settle(Outcome{Kind: Success, FirstTry: true, PromptTokens: 100, CompletionTokens: 50})
				}
			})
		}
		start := time.Now()
		for done.Load() < requests {
			time.Sleep(time.Second)
			if time.Since(start) > time.Hour {
				t.Fatalf("%d of %d answered after %v; %+v", done.Load(), requests, time.Since(start), l.Stats())
			}
		}
		askers.Wait() // the bubble's time stands still when this function is left
		// Without any limit it takes 20 s and the pauses.
		if took := time.Since(start); took > 3*time.Minute {
			t.Errorf("took %v; %+v", took, l.Stats())
		}
	})
}
