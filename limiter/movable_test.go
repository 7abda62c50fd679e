package limiter

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// trip opens l's breaker.
func trip(t *testing.T, l *Limiter) {
	t.Helper()
	for range TripAfter {
		acquire(t, l, Request{}).Settle(Outcome{Kind: Transient})
	}
}

func TestMovableRequestsDoNotWaitForAnOpenBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 1, Clock: System})
		defer l.Close()
		for range TripAfter - 1 {
			acquire(t, l, Request{}).Settle(Outcome{Kind: Transient})
		}
		last := acquire(t, l, Request{})
		waiting := make(chan error, 1)
		go func() {
			_, err := l.Acquire(t.Context(), Request{Movable: true})
			waiting <- err
		}()
		synctest.Wait()
		last.Settle(Outcome{Kind: Transient})
		if err := <-waiting; !errors.Is(err, ErrOpen) {
			t.Errorf("one that waited when it opened: %v", err)
		}
		if _, err := l.Acquire(t.Context(), Request{Movable: true}); !errors.Is(err, ErrOpen) {
			t.Errorf("one that came later: %v", err)
		}
		time.Sleep(leastOpen)
		probe := acquire(t, l, Request{Movable: true})
		if _, err := l.Acquire(t.Context(), Request{Movable: true}); !errors.Is(err, ErrOpen) {
			t.Errorf("one beside the probe: %v", err)
		}
		probe.Settle(Outcome{Kind: Success})
		acquire(t, l, Request{Movable: true}).Settle(Outcome{Kind: Success})
		acquire(t, l, Request{Movable: true}).Settle(Outcome{Kind: Success})
	})
}

func TestUnmovableRequestsWaitForTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Clock: System})
		defer l.Close()
		trip(t, l)
		start := time.Now()
		acquire(t, l, Request{}).Settle(Outcome{Kind: Success})
		if waited := time.Since(start); waited != leastOpen {
			t.Errorf("waited %v, want %v", waited, leastOpen)
		}
	})
}
