package limiter

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

type counts struct{ waiting, room atomic.Int64 }

func (c *counts) Waiting() int { return int(c.waiting.Load()) }
func (c *counts) Room() int    { return int(c.room.Load()) }

// What is in flight and what has come back and is not put away are together at most twice what may
// be in flight, or as many as there is room for; one always may be.
func TestBacklogHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var back counts
		l := New(Config{Concurrency: 3, Clock: System, Backlog: &back})
		defer l.Close()
		var granted, let atomic.Int64
		goOn := make(chan struct{})
		for range 40 {
			go func() {
				p, err := l.Acquire(t.Context(), Request{})
				if err != nil {
					return
				}
				granted.Add(1)
				<-goOn
				back.waiting.Add(1)
				p.Settle(Outcome{Kind: Success})
			}()
		}
		answer := func() {
			goOn <- struct{}{}
			synctest.Wait()
		}
		check := func(when string, want int64) {
			t.Helper()
			synctest.Wait()
			if n := granted.Load() - let.Load(); n != want {
				t.Errorf("%s: %d were sent, want %d", when, n, want)
			}
		}
		put := func(n int64) {
			back.waiting.Add(-n)
			l.PutAway()
		}
		check("at first", 3)
		for range 3 {
			answer()
		}
		check("when three wait to be put away", 6)
		answer()
		check("when four do", 6)
		put(1)
		check("when one of them was put away", 7)
		for range 3 {
			answer()
		}
		check("when none is in flight", 7)
		put(6)
		check("when all were put away", 10)
		let.Store(10)
		back.room.Store(2)
		answer()
		answer()
		answer()
		check("when three wait and there is room for two", 0)
		put(2)
		check("when one waits", 1)
		put(1)
		check("when one is in flight", 2)
		back.room.Store(1)
		answer()
		answer()
		check("when there is room for one", 2)
		put(2)
		check("when nothing is in flight", 3)
		back.room.Store(0)
		l.PutAway()
		check("when there is room for any number", 5)
		close(goOn)
		for granted.Load() < 40 {
			synctest.Wait()
			put(back.waiting.Load())
		}
	})
}
