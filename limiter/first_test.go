package limiter

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Requests that stand in the queues of several limiters at once get one permit each, and leave
// nothing behind in any of them, also where they are cancelled.
func TestFirstOfSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lanes []*Limiter
		for _, n := range []int{1, 2, 4} {
			lanes = append(lanes, New(Config{Concurrency: n, Clock: System}))
		}
		var inFlight [3]atomic.Int32
		var granted, cancelled atomic.Int32
		var all sync.WaitGroup
		for n := range 700 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if n%7 == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(n)*time.Millisecond)
					defer cancel()
				}
				offers := make([]Offer, len(lanes))
				for i := range offers {
					offers[i] = Offer{Limiter: lanes[i], Request: Request{N: 1, Retry: n%2 == 0}}
				}
				p, at := First(ctx, offers)
				if at < 0 {
					cancelled.Add(1)
					for _, o := range offers {
						if o.Err != ctx.Err() || o.Err == nil {
							t.Errorf("error %v, want the context's", o.Err)
						}
					}
					return
				}
				granted.Add(1)
				if now := inFlight[at].Add(1); int(now) > lanes[at].Allowed() {
					t.Errorf("%d in flight in lane %d", now, at)
				}
				time.Sleep(10 * time.Millisecond)
				inFlight[at].Add(-1)
				p.Settle(Outcome{Kind: Success})
			})
		}
		all.Wait()
		if granted.Load() < 600 || cancelled.Load() == 0 {
			t.Errorf("%d granted, %d cancelled", granted.Load(), cancelled.Load())
		}
		settled := int64(0)
		for i, l := range lanes {
			s := l.Stats()
			if s.InFlight != 0 || s.Waiting != 0 || s.Granted != s.Settled+s.Dropped {
				t.Errorf("lane %d: %+v", i, s)
			}
			settled += s.Settled
			l.Close()
		}
		if settled != int64(granted.Load()) {
			t.Errorf("%d settled, %d granted", settled, granted.Load())
		}
	})
}

// The first of the offers that has room counts, and one that can never go does not stand in the
// way.
func TestFirstTakesWhatHasRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		small, busy, free := New(Config{TPM: 10, Clock: System}), New(Config{Concurrency: 1, Clock: System}), New(Config{Clock: System})
		defer small.Close()
		defer busy.Close()
		defer free.Close()
		held, err := busy.Acquire(t.Context(), Request{N: 1})
		if err != nil {
			t.Fatal(err)
		}
		large := Request{N: 1, MaxTokens: 1000}
		offers := []Offer{{Limiter: small, Request: large}, {Limiter: busy, Request: large}, {Limiter: free, Request: large}}
		p, at := First(t.Context(), offers)
		if at != 2 {
			t.Fatalf("granted by %d, %v", at, offers[0].Err)
		}
		p.Drop()
		go func() {
			time.Sleep(time.Second)
			held.Drop()
		}()
		if p, at = First(t.Context(), offers[:2]); at != 1 {
			t.Fatalf("granted by %d: %v, %v", at, offers[0].Err, offers[1].Err)
		}
		p.Drop()
		if _, at = First(t.Context(), offers[:1]); at != -1 || offers[0].Err == nil {
			t.Errorf("granted by %d, %v", at, offers[0].Err)
		}
	})
}
