package limiter

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Who waits in a lane that is shut is sent away at once, and so is who comes later; what tries it, and
// what has nowhere else to go, waits on.
func TestShutLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 1, Clock: System})
		defer l.Close()
		held, err := l.Acquire(t.Context(), Request{N: 1})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		waits := func(r Request) <-chan error {
			ended := make(chan error, 1)
			go func() {
				p, err := l.Acquire(t.Context(), r)
				if err == nil {
					p.Drop()
				}
				ended <- err
			}()
			synctest.Wait()
			return ended
		}
		movable, retry := waits(Request{N: 1, Movable: true}), waits(Request{N: 1, Movable: true, Retry: true})
		l.Shut(true)
		late := waits(Request{N: 1, Movable: true})
		for name, ended := range map[string]<-chan error{"waiting": movable, "a retry": retry, "late": late} {
			if err := <-ended; !errors.Is(err, ErrOpen) || time.Since(began) > 0 {
				t.Errorf("%s: %v after %s", name, err, time.Since(began))
			}
		}
		trial, alone := waits(Request{N: 1, Movable: true, Trial: true}), waits(Request{N: 1})
		time.Sleep(time.Second)
		held.Drop()
		if err := <-trial; err != nil {
			t.Errorf("a trial: %v", err)
		}
		if err := <-alone; err != nil {
			t.Errorf("what has nowhere else to go: %v", err)
		}
		l.Shut(false)
		if err := <-waits(Request{N: 1, Movable: true}); err != nil {
			t.Errorf("open again: %v", err)
		}
	})
}
