package limiter

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A server that can do 40 at once and refuses the 41st.
func TestSettlesBelowTheServersPlaces(t *testing.T) {
	for latency, found := range map[time.Duration]int{ // and the second by which it is found
		200 * time.Millisecond: 10, time.Second: 10, 4 * time.Second: 45,
	} {
		t.Run(latency.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sv := newServer(laws{places: 40, latency: latency, jitter: 0.5})
				limits := drive(t, sv, Config{}, 120*time.Second)
				if mean := meanOf(limits[60:]); mean < 32 || mean > 40.5 {
					t.Errorf("settled at %.1f in flight on average, want 32 to 40", mean)
				}
				seen := sv.seen(found, 120)
				if share := float64(seen.refused) / float64(seen.asked); share > 0.02 {
					t.Errorf("%.4f refused after it was found, want at most 0.02", share)
				}
			})
		})
	}
}

// A server that never refuses, but slows down beyond 50 at once.
func TestSettlesWhereMoreGainsNothing(t *testing.T) {
	for _, jitter := range []float64{0.2, 0.5, 0.9} {
		t.Run(fmt.Sprint(jitter), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sv := newServer(laws{slots: 50, latency: 500 * time.Millisecond, jitter: jitter})
				limits := drive(t, sv, Config{}, 300*time.Second)
				if settled := limits[20:]; slices.Min(settled) < 40 || slices.Max(settled) > 80 {
					t.Errorf("settled at %v, want 40 to 80", limits)
				}
				if seen := sv.seen(20, 300); float64(seen.accepted) < 0.95*100*280 {
					t.Errorf("%d answers in 280 s, want 95 %% of 100 a second", seen.accepted)
				}
			})
		})
	}
}

// A server that becomes slow for no reason of ours is not helped by asking less.
func TestSlownessIsNoReasonToShrink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sv := newServer(laws{latency: 500 * time.Millisecond, slowAt: 20 * time.Second, slowBy: 10})
		limits := drive(t, sv, Config{MaxConcurrency: 64}, 200*time.Second)
		if slices.Min(limits[10:]) < 32 {
			t.Errorf("allowed %v, want no less than 32", limits)
		}
	})
}

// drive asks a server for a span of time without an end of prompts, and
// returns what was allowed at every second of it.
func drive(t *testing.T, sv *server, c Config, span time.Duration) []int {
	t.Helper()
	c.Clock = System
	l := New(c)
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	limits := make([]int, 0, int(span.Seconds()))
	go func() {
		for range cap(limits) {
			limits = append(limits, l.Allowed())
			time.Sleep(time.Second)
		}
	}()
	newClient(l, sv).run(ctx, alike(100_000))
	<-ctx.Done()
	synctest.Wait()
	return limits
}

func meanOf(values []int) float64 {
	sum := 0
	for _, v := range values {
		sum += v
	}
	return float64(sum) / float64(len(values))
}
