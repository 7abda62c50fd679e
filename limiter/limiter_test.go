package limiter

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetriesGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 1, Clock: System})
		defer l.Close()
		holder := acquire(t, l, Request{})
		var mu sync.Mutex
		var order []string
		for _, w := range []struct {
			name  string
			retry bool
		}{{"new 1", false}, {"retry 1", true}, {"new 2", false}, {"retry 2", true}} {
			go func() {
				p, err := l.Acquire(t.Context(), Request{Retry: w.retry})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, w.name)
				mu.Unlock()
				p.Settle(Outcome{Kind: Success})
			}()
			synctest.Wait()
		}
		holder.Settle(Outcome{Kind: Success})
		synctest.Wait()
		want := []string{"retry 1", "retry 2", "new 1", "new 2"}
		for i := range want {
			if i >= len(order) || order[i] != want[i] {
				t.Fatalf("order %v, want %v", order, want)
			}
		}
	})
}

func TestCancelledWaiterHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 1, Clock: System})
		defer l.Close()
		holder := acquire(t, l, Request{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Acquire(ctx, Request{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's", err)
		}
		if s := l.Stats(); s.Waiting != 0 || s.InFlight != 1 {
			t.Errorf("stats %+v, want nobody waiting and one in flight", s)
		}
		holder.Settle(Outcome{Kind: Success})
		if _, err := l.Acquire(ctx, Request{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with an ended context: %v, want the context's error", err)
		}
		acquire(t, l, Request{}).Drop()
	})
}

// Waiters that leave from the middle and the end take nobody with them.
func TestLeavingFromTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 1, Clock: System})
		defer l.Close()
		holder := acquire(t, l, Request{})
		went := make(chan int, 4)
		var cancels []context.CancelFunc
		for i := range 4 {
			ctx, cancel := context.WithCancel(t.Context())
			cancels = append(cancels, cancel)
			go func() {
				if p, err := l.Acquire(ctx, Request{}); err == nil {
					went <- i
					p.Settle(Outcome{Kind: Success})
				}
			}()
			synctest.Wait()
		}
		for _, i := range []int{1, 2, 3} {
			cancels[i]()
			synctest.Wait()
		}
		holder.Settle(Outcome{Kind: Success})
		synctest.Wait()
		if s := l.Stats(); len(went) != 1 || s.Waiting != 0 || s.InFlight != 0 {
			t.Errorf("%d went, stats %+v, want the one that stayed", len(went), s)
		}
		cancels[0]()
	})
}

// What a waiter that leaves stood in front of goes at once.
func TestLeavingLetsTheNextGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{TPM: 60_000, Clock: System})
		defer l.Close()
		acquire(t, l, Request{MaxTokens: 50}) // of the 100 that the bucket holds
		ctx, cancel := context.WithCancel(t.Context())
		go l.Acquire(ctx, Request{MaxTokens: 50_000}) //nolint:errcheck // it is cancelled
		synctest.Wait()
		start := time.Now()
		went := make(chan time.Duration, 1)
		go func() {
			if p, err := l.Acquire(t.Context(), Request{MaxTokens: 10}); err == nil {
				went <- time.Since(start)
				p.Drop()
			}
		}()
		synctest.Wait()
		cancel()
		if took := <-went; took != 0 {
			t.Errorf("went after %v, want at once", took)
		}
	})
}

func TestTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{TPM: 30_000, Clock: System})
		defer l.Close()
		for _, tt := range []struct {
			request Request
			refused bool
		}{
			{Request{MaxTokens: 30_000}, false},
			{Request{MaxTokens: 30_001}, true},
			{Request{PromptBytes: 100_000}, false}, // may be 30,000 tokens or less
			{Request{PromptBytes: 300_000}, true},  // can not
		} {
			p, err := l.Acquire(t.Context(), tt.request)
			var tooLarge *TooLarge
			if errors.As(err, &tooLarge) != tt.refused {
				t.Errorf("%+v: error %v, want refused: %v", tt.request, err, tt.refused)
			}
			if tt.refused && (tooLarge.Limit != 30_000 || tooLarge.Need <= 30_000 || tooLarge.Resource != "tokens") {
				t.Errorf("%+v: %+v", tt.request, tooLarge)
			}
			if err == nil {
				p.Drop()
			}
		}
	})
}

func TestPermitEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 4, Clock: System})
		defer l.Close()
		p := acquire(t, l, Request{})
		q := acquire(t, l, Request{})
		p.Settle(Outcome{Kind: Success})
		p.Settle(Outcome{Kind: Success})
		p.Drop()
		if s := l.Stats(); s.InFlight != 1 || s.Settled != 1 || s.Dropped != 0 {
			t.Errorf("stats %+v, want one settled and one in flight", s)
		}
		q.Drop()
		q.Settle(Outcome{Kind: Success})
		if s := l.Stats(); s.InFlight != 0 || s.Settled != 1 || s.Dropped != 1 {
			t.Errorf("stats %+v, want one settled and one dropped", s)
		}
	})
}

// A permit that is dropped at once is as if it had never been granted; a
// cancelled one is not.
func TestDropGivesBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*Permit)
		wait time.Duration
	}{
		{"dropped", func(p *Permit) { p.Drop() }, 0},
		{"cancelled", func(p *Permit) { p.Settle(Outcome{Kind: Cancelled}) }, 6*time.Second + 30*time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(Config{RPM: 10, TPM: 100_000, Clock: System})
				defer l.Close()
				tt.end(acquire(t, l, Request{MaxTokens: 10_000}))
				start := time.Now()
				acquire(t, l, Request{MaxTokens: 10_000})
				if waited := time.Since(start).Round(time.Millisecond); waited != tt.wait {
					t.Errorf("waited %v, want %v", waited, tt.wait)
				}
			})
		})
	}
}

// What is given back does not pile up to a burst.
func TestGivenBackIsNotSavedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{RPM: 60, Clock: System})
		defer l.Close()
		var permits []*Permit
		for range 5 {
			permits = append(permits, acquire(t, l, Request{}))
		}
		time.Sleep(10 * time.Second)
		for _, p := range permits {
			p.Drop()
		}
		start := time.Now()
		for range 3 {
			acquire(t, l, Request{})
		}
		if took := time.Since(start).Round(time.Millisecond); took != 2*time.Second+10*time.Millisecond {
			t.Errorf("3 requests took %v, want 2.01s", took)
		}
	})
}

// A request that may be larger than a minute's limit is charged a minute.
func TestDebtIsAtMostAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{TPM: 60_000, Clock: System})
		defer l.Close()
		acquire(t, l, Request{PromptBytes: 300_000})
		start := time.Now()
		acquire(t, l, Request{MaxTokens: 1})
		if waited := time.Since(start); waited > time.Minute {
			t.Errorf("waited %v, want at most a minute", waited)
		}
	})
}

// Whatever is told, what is fixed is fixed.
func TestFixedConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 3, Clock: System})
		defer l.Close()
		for i := range 200 {
			p := acquire(t, l, Request{})
			p.Settle(Outcome{Kind: []Kind{Success, Pressure, Transient}[i%3], FirstTry: true})
			if got := l.Allowed(); got != 3 {
				t.Fatalf("%d allowed, want 3", got)
			}
		}
	})
}

func TestStatsOfTheLastMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{RPM: 600, TPM: 60_000, Headroom: 10, Clock: System})
		defer l.Close()
		for range 5 {
			p := acquire(t, l, Request{PromptBytes: 30, MaxTokens: 100})
			p.Settle(Outcome{Kind: Success, PromptTokens: 7, CompletionTokens: 3})
		}
		s := l.Stats()
		if s.RPMUsed != 5 || s.RPMLimit != 540 || s.TPMLimit != 54_000 {
			t.Errorf("stats %+v, want 5 requests of 540, and 54000 tokens", s)
		}
		if s.TPMUsed != 5*107 {
			t.Errorf("%d tokens used, want %d", s.TPMUsed, 5*107)
		}
		time.Sleep(61 * time.Second)
		if s := l.Stats(); s.RPMUsed != 0 || s.TPMUsed != 0 {
			t.Errorf("stats %+v a minute later, want nothing used", s)
		}
	})
}

func TestCloseLeavesNoTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{RPM: 1, Clock: System})
		acquire(t, l, Request{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		done := make(chan error)
		go func() {
			_, err := l.Acquire(ctx, Request{})
			done <- err
		}()
		synctest.Wait()
		l.Close()
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after Close a waiter got %v, want its context's error", err)
		}
	})
}
