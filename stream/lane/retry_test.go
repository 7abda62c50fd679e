package lane

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// newFlow is what a run shares, with room for one record.
func newFlow(t *testing.T) *flow.Flow {
	return flow.New(t.Context(), ui.NewVoice(io.Discard, false, false), func() int { return 1 })
}

// Sleepers are woken in the order of their times, none before its own, and closing returns the
// rest: nobody is lost.
func TestSleepersLoseNobody(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		waits := rapid.SliceOfN(rapid.IntRange(0, 1000), 1, 40).Draw(rt, "waits")
		wake := rapid.IntRange(0, len(waits)).Draw(rt, "wake")
		synctest.Test(t, func(t *testing.T) {
			s := newSleepers(newFlow(t).Gate)
			ctx, stop := context.WithCancel(t.Context())
			left := make(chan []*Request)
			go func() { left <- s.run(ctx) }()
			known := map[*Request]bool{}
			for _, w := range waits {
				k := &Request{}
				known[k] = true
				if !s.add(k, time.Duration(w)*time.Millisecond) {
					t.Error("refused while open")
				}
			}
			var last time.Time
			for range wake {
				k := <-s.wake
				if k.tries.wake.Before(last) || time.Now().Before(k.tries.wake) {
					t.Errorf("woken out of turn or too early")
				}
				if !known[k] {
					t.Error("woken twice")
				}
				delete(known, k)
				last = k.tries.wake
			}
			stop()
			for _, k := range <-left {
				if !known[k] {
					t.Error("returned although it was woken")
				}
				delete(known, k)
			}
			if len(known) != 0 {
				t.Errorf("%d were lost", len(known))
			}
			if s.add(&Request{}, 0) {
				t.Error("accepted although nobody is woken any more")
			}
		})
	})
}

// A later sleeper with a shorter wait is woken first, though the timer was set for the other.
func TestSleepersShorterWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSleepers(newFlow(t).Gate)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go s.run(ctx)
		long, short := &Request{}, &Request{}
		s.add(long, time.Hour)
		synctest.Wait()
		start := time.Now()
		s.add(short, time.Second)
		if k := <-s.wake; k != short || time.Since(start) != time.Second {
			t.Errorf("woken after %s: the right one %t", time.Since(start), k == short)
		}
	})
}

// A wait is never shorter than the provider asked for, once; by itself it lies between nothing and
// a bound that doubles up to the last.
func TestHintedBackOff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewBackOff(FirstTransient)
		bound := FirstTransient
		for range 12 {
			hint := time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(t, "hint"))
			if rapid.Bool().Draw(t, "without") {
				hint = 0
			}
			b.AtLeast = hint
			d := b.NextBackOff()
			if d < hint || d > max(bound, hint)+1 || b.AtLeast != 0 {
				t.Fatalf("waits %s with a hint of %s and a bound of %s", d, hint, bound)
			}
			bound = min(2*bound, lastDelay)
		}
	})
}
