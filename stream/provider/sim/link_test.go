package sim

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// While the link is down all is reset at once: what comes, and what was under way when it went.
func TestSimLinkDown(t *testing.T) {
	for name, o := range map[string]Options{"answers": {Latency: 900 * time.Millisecond}, "hangs": {Hang: 1}} {
		synctest.Test(t, func(t *testing.T) {
			o.LinkDown, o.LinkUp = 3*time.Second, 10*time.Second
			s := New(o)
			client := connect(t, s)
			start := time.Now()
			for _, test := range []struct{ at, takes time.Duration }{ // takes 0 for an answer
				{0, 0}, {8500 * time.Millisecond, 0}, {9500 * time.Millisecond, 500 * time.Millisecond},
				{10 * time.Second, time.Nanosecond}, {12 * time.Second, time.Nanosecond},
				{13 * time.Second, 0}, {22500 * time.Millisecond, 500 * time.Millisecond},
			} {
				time.Sleep(test.at - time.Since(start))
				asked := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				status, _, err := sendBody(ctx, client, hello)
				cancel()
				took := time.Since(asked)
				switch {
				case test.takes == 0 && o.Hang > 0:
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%s: after %v: ended with %v", name, test.at, err)
					}
				case test.takes == 0:
					if status != 200 || took != o.Latency {
						t.Errorf("%s: after %v: answered %d, %v after %v", name, test.at, status, err, took)
					}
				case err == nil || !strings.Contains(err.Error(), "connection reset") || took != test.takes.Truncate(time.Millisecond):
					t.Errorf("%s: after %v: %d, %v after %v, want a reset after %v", name, test.at, status, err, took, test.takes)
				}
			}
		})
	}
}

// All calls meet a link that is down, and it is counted.
func TestSimLinkDownForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{LinkDown: time.Second, LinkUp: time.Second})
		client := connect(t, s)
		time.Sleep(time.Second)
		for _, path := range []string{"models", "files", "batches", "nothing"} {
			if w, err := client.Get("http://sim/v1/" + path); err == nil {
				w.Body.Close()
				t.Errorf("%s: answered %s", path, w.Status)
			}
		}
		// A client asks once more where a connection broke before anything came from it.
		if stats := s.Stats(); stats.Faults["down"] < 4 || len(stats.ByStatus) > 0 {
			t.Errorf("counted %+v", stats)
		}
	})
}
