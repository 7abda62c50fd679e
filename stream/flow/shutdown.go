package flow

import (
	"context"
	"os"
	"sync"
	"time"
)

// DrainTime bounds how long requests in flight are waited for after a signal or a closed stdout.
const DrainTime = 30 * time.Second

// lastGrace bounds the commit of what came in during the drain.
const lastGrace = 2 * time.Second

// Shutdown ends a run before its input ends, in two stages with a context each: first nothing more
// is asked, then nothing more is waited for.
type Shutdown struct {
	Asking    context.Context // ends when no new request may be sent
	stopAsk   context.CancelFunc
	Waiting   context.Context // ends when requests in flight are given up
	StopWait  context.CancelFunc
	mu        sync.Mutex
	stopped   stopped
	deadline  *time.Timer
	Immediate chan struct{} // closed when the run must end at once

	// OnGiveUp is called before requests in flight are given up; it may be nil. It is set before there
	// is a reason to stop.
	OnGiveUp func()
}

// stopped is why a run ended early. Several reasons may come together.
type stopped struct {
	Err        error     // the run failed: exit 1
	Signal     os.Signal // a signal ended it: 128+n
	Unfinished error     // the same command continues it: exit 75
	Budget     error     // the budget has no room: exit 4
	Pipe       bool      // the reader of stdout went away
}

func newShutdown(ctx context.Context) *Shutdown {
	s := &Shutdown{Immediate: make(chan struct{})}
	s.Waiting, s.StopWait = context.WithCancel(ctx)
	s.Asking, s.stopAsk = context.WithCancel(s.Waiting)
	return s
}

// Fail ends the run with err. The first error counts.
func (s *Shutdown) Fail(err error) { s.failWith(err, false) }

// FailSoon is Fail with a bound on the drain, for when requests in flight are waited for only to
// count what is lost.
func (s *Shutdown) FailSoon(err error) { s.failWith(err, true) }

func (s *Shutdown) failWith(err error, bounded bool) {
	s.stop(func(r *stopped) {
		if r.Err == nil {
			r.Err = err
		}
	}, bounded)
}

// Pause ends the run so that the same command continues it.
func (s *Shutdown) Pause(why error) {
	s.stop(func(r *stopped) {
		if r.Unfinished == nil {
			r.Unfinished = why
		}
	}, false)
}

// OverBudget ends the run because the money is spent.
func (s *Shutdown) OverBudget(why error) {
	s.stop(func(r *stopped) {
		if r.Budget == nil {
			r.Budget = why
		}
	}, false)
}

// Signal ends the run because of sig: gently the first time, at once the second. It reports whether
// it was the first.
func (s *Shutdown) Signal(sig os.Signal) bool {
	again := false
	s.stop(func(r *stopped) {
		again = r.Signal != nil
		if !again {
			r.Signal = sig
		}
	}, true)
	if again {
		s.now()
	}
	return !again
}

// ClosedPipe ends the run because nobody reads stdout any more. If answers are recorded, those in
// flight are worth waiting for.
func (s *Shutdown) ClosedPipe(recorded bool) {
	s.stop(func(r *stopped) { r.Pipe = true }, true)
	if !recorded {
		s.StopWait()
	}
}

func (s *Shutdown) stop(why func(*stopped), bounded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	why(&s.stopped)
	s.stopAsk()
	if bounded && s.deadline == nil {
		s.deadline = time.AfterFunc(DrainTime, s.giveUpWaiting)
	}
}

// giveUpAt bounds the drain, unless something else, such as a signal or a closed stdout, has done
// so.
func (s *Shutdown) giveUpAt(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deadline == nil {
		s.deadline = time.AfterFunc(time.Until(at), s.giveUpWaiting)
	}
}

// giveUpWaiting cancels what is in flight. The run ends even if something still hangs, such as a
// write that nobody reads.
func (s *Shutdown) giveUpWaiting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.giveUp()
	s.deadline = time.AfterFunc(lastGrace, s.now)
}

// now ends the run without waiting for anything.
func (s *Shutdown) now() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.giveUp()
	select {
	case <-s.Immediate:
	default:
		close(s.Immediate)
	}
}

// giveUp cancels what is in flight, unless that is done already. s.mu is held.
func (s *Shutdown) giveUp() {
	if s.OnGiveUp != nil && s.Waiting.Err() == nil {
		s.OnGiveUp()
	}
	s.StopWait()
}

// Reasons returns why the run was stopped so far.
func (s *Shutdown) Reasons() stopped {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// Release gives the contexts and the timer back.
func (s *Shutdown) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.StopWait()
	if s.deadline != nil {
		s.deadline.Stop()
	}
}

// Ending reports whether nothing more may be asked.
func (s *Shutdown) Ending() bool { return s.Asking.Err() != nil }

// Sleep waits for d, and reports false if asking ended first.
func (s *Shutdown) Sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.Asking.Done():
		return false
	}
}
