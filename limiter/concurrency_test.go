package limiter

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A server that answers only so many at once is used to the full, and few are refused by it, however
// long its answers take and whatever overtakes what on the way to it.
func TestUsesTheServersPlaces(t *testing.T) {
	for _, latency := range []time.Duration{200 * time.Millisecond, time.Second, 4 * time.Second, 20 * time.Second} {
		for _, places := range []int{4, 10, 40, 150} {
			t.Run(fmt.Sprintf("%d of %v", places, latency), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := laws{places: places, latency: latency, jitter: 0.5}
					if latency >= time.Second {
						l.travel = 5 * time.Millisecond
					}
					sv := newServer(l)
					found := 5 + 12*int(latency.Seconds())
					end := found + 100 + 12*int(latency.Seconds())
					drive(t, sv, Config{}, time.Duration(end)*time.Second)
					seen := sv.seen(found, end)
					use := float64(seen.accepted) / (float64(places*(end-found)) / latency.Seconds())
					refused := float64(seen.refused) / float64(seen.asked)
					most := 0.03
					if places < 10 { // one that is refused in a round of four is many
						most = 0.08
					}
					if use < 0.9 || refused > most {
						t.Errorf("%.2f of the possible and %.3f refused, want 0.9 and at most %.2f", use, refused, most)
					}
				})
			})
		}
	}
}

// A server whose refusals take seconds, but less than its answers, is not taken to have places because
// it has not refused yet.
func TestSlowRefusals(t *testing.T) {
	for _, refusal := range []time.Duration{3 * time.Second, 6 * time.Second} {
		t.Run(refusal.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sv := newServer(laws{places: 40, latency: 10 * time.Second, jitter: 0.5, travel: 5 * time.Millisecond, refusal: refusal})
				drive(t, sv, Config{}, 300*time.Second)
				seen := sv.seen(120, 300)
				use, refused := float64(seen.accepted)/(40*180/10), float64(seen.refused)/float64(seen.asked)
				if use < 0.9 || refused > 0.15 {
					t.Errorf("%.2f of the possible and %.3f refused, want 0.9 and at most 0.15", use, refused)
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
