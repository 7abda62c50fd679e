package stream

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A signal stops the asking at once, what is in flight when the drain is over, and the run itself when even then something hangs.
func TestShutdownStages(t *testing.T) {
	for name, stop := range map[string]func(*shutdown){
		"signal":      func(s *shutdown) { s.signal(syscall.SIGINT) },
		"closed pipe": func(s *shutdown) { s.closedPipe(true) },
		"error first": func(s *shutdown) { s.fail(errors.New("x")); s.signal(syscall.SIGINT) },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShutdown(t.Context())
			defer s.release()
			start := time.Now()
			stop(s)
			if !s.ending() || s.waiting.Err() != nil {
				t.Errorf("%s: asking or waiting is wrong at once", name)
			}
			<-s.waiting.Done()
			if d := time.Since(start); d != drainTime {
				t.Errorf("%s: waited %s for what is in flight", name, d)
			}
			<-s.immediate
			if d := time.Since(start); d != drainTime+lastGrace {
				t.Errorf("%s: ended after %s", name, d)
			}
		})
	}
}

// Errors and pauses let what is in flight take its time.
func TestShutdownUnbounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShutdown(t.Context())
		defer s.release()
		first := errors.New("first")
		s.fail(first)
		s.fail(errors.New("second"))
		s.pause(errors.New("third"))
		time.Sleep(time.Hour)
		if s.waiting.Err() != nil || s.sleep(time.Second) {
			t.Error("in flight was cancelled, or a sleep went on")
		}
		if why := s.reasons(); why.err != first || why.unfinished == nil {
			t.Errorf("reasons %+v", why)
		}
	})
}

func TestShutdownAtOnce(t *testing.T) {
	s := newShutdown(t.Context())
	defer s.release()
	if !s.signal(syscall.SIGINT) || s.signal(syscall.SIGTERM) || s.signal(syscall.SIGTERM) {
		t.Error("first and later signals were mixed up")
	}
	<-s.immediate
	if s.waiting.Err() == nil || s.reasons().signal != syscall.SIGINT {
		t.Errorf("reasons %+v", s.reasons())
	}
	unrecorded := newShutdown(t.Context())
	defer unrecorded.release()
	unrecorded.closedPipe(false)
	if unrecorded.waiting.Err() == nil {
		t.Error("answers that nobody keeps are waited for")
	}
}
