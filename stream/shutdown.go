package stream

import (
	"context"
	"os"
	"sync"
	"time"
)

// drainTime bounds how long requests in flight are waited for after a signal or a closed stdout.
const drainTime = 30 * time.Second

// lastGrace is how long the commit of what came in that time may take then.
const lastGrace = 2 * time.Second

// shutdown is how a run ends before its input does. Its two contexts are the two stages: first nothing more is asked, then nothing is
// waited for.
type shutdown struct {
	asking    context.Context // ends when no new request may be sent
	stopAsk   context.CancelFunc
	waiting   context.Context // ends when requests in flight are given up
	stopWait  context.CancelFunc
	mu        sync.Mutex
	stopped   stopped
	deadline  *time.Timer
	immediate chan struct{} // closed when the run must end at once
}

// stopped is why a run ended early. Several reasons may come together.
type stopped struct {
	err        error     // the run failed: exit 1
	signal     os.Signal // a signal ended it: 128+n
	unfinished error     // the same command continues it: exit 75
	budget     error     // the budget has no room: exit 4
	pipe       bool      // the reader of stdout went away
}

func newShutdown(ctx context.Context) *shutdown {
	s := &shutdown{immediate: make(chan struct{})}
	s.waiting, s.stopWait = context.WithCancel(ctx)
	s.asking, s.stopAsk = context.WithCancel(s.waiting)
	return s
}

// fail ends the run with err. The first error is the one that is told.
func (s *shutdown) fail(err error) { s.failWith(err, false) }

// failSoon is fail where what is in flight is waited for only to say how much of it is lost.
func (s *shutdown) failSoon(err error) { s.failWith(err, true) }

func (s *shutdown) failWith(err error, bounded bool) {
	s.stop(func(r *stopped) {
		if r.err == nil {
			r.err = err
		}
	}, bounded)
}

// pause ends the run in a way that the same command continues.
func (s *shutdown) pause(why error) {
	s.stop(func(r *stopped) {
		if r.unfinished == nil {
			r.unfinished = why
		}
	}, false)
}

// overBudget ends the run because the money is spent.
func (s *shutdown) overBudget(why error) {
	s.stop(func(r *stopped) {
		if r.budget == nil {
			r.budget = why
		}
	}, false)
}

// signal ends the run because of sig: gently the first time, at once the second. It reports whether it was the first.
func (s *shutdown) signal(sig os.Signal) bool {
	again := false
	s.stop(func(r *stopped) {
		again = r.signal != nil
		if !again {
			r.signal = sig
		}
	}, true)
	if again {
		s.now()
	}
	return !again
}

// closedPipe ends the run because nobody reads stdout any more. Where answers are recorded, those in flight are worth waiting for.
func (s *shutdown) closedPipe(recorded bool) {
	s.stop(func(r *stopped) { r.pipe = true }, true)
	if !recorded {
		s.stopWait()
	}
}

func (s *shutdown) stop(why func(*stopped), bounded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	why(&s.stopped)
	s.stopAsk()
	if bounded && s.deadline == nil {
		s.deadline = time.AfterFunc(drainTime, s.giveUpWaiting)
	}
}

// giveUpWaiting cancels what is in flight. If even then something hangs, a write to a reader that does not read, the run ends all the same.
func (s *shutdown) giveUpWaiting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopWait()
	s.deadline = time.AfterFunc(lastGrace, s.now)
}

// now ends the run without waiting for anything.
func (s *shutdown) now() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopWait()
	select {
	case <-s.immediate:
	default:
		close(s.immediate)
	}
}

// reasons returns why the run was stopped so far.
func (s *shutdown) reasons() stopped {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// release gives the contexts and the timer back.
func (s *shutdown) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopWait()
	if s.deadline != nil {
		s.deadline.Stop()
	}
}

// ending reports whether nothing more may be asked.
func (s *shutdown) ending() bool { return s.asking.Err() != nil }

// sleep waits for d, and reports false when asking ended first.
func (s *shutdown) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.asking.Done():
		return false
	}
}
