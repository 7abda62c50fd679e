package flow

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A signal stops the asking at once, what is in flight when the drain is over, and the run itself
// when even then something hangs.
func TestShutdownStages(t *testing.T) {
	for name, stop := range map[string]func(*Shutdown){
		"signal":      func(s *Shutdown) { s.Signal(syscall.SIGINT) },
		"closed pipe": func(s *Shutdown) { s.ClosedPipe(true) },
		"error first": func(s *Shutdown) { s.Fail(errors.New("x")); s.Signal(syscall.SIGINT) },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShutdown(t.Context())
			defer s.Release()
			start := time.Now()
			stop(s)
			if !s.Ending() || s.Waiting.Err() != nil {
				t.Errorf("%s: asking or waiting is wrong at once", name)
			}
			<-s.Waiting.Done()
			if d := time.Since(start); d != DrainTime {
				t.Errorf("%s: waited %s for what is in flight", name, d)
			}
			<-s.Immediate
			if d := time.Since(start); d != DrainTime+lastGrace {
				t.Errorf("%s: ended after %s", name, d)
			}
		})
	}
}

// Errors and pauses let what is in flight take its time.
func TestShutdownUnbounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShutdown(t.Context())
		defer s.Release()
		first := errors.New("first")
		s.Fail(first)
		s.Fail(errors.New("second"))
		s.Pause(errors.New("third"))
		time.Sleep(time.Hour)
		if s.Waiting.Err() != nil || s.Sleep(time.Second) {
			t.Error("in flight was cancelled, or a sleep went on")
		}
		if why := s.Reasons(); why.Err != first || why.Unfinished == nil {
			t.Errorf("reasons %+v", why)
		}
	})
}

func TestShutdownAtOnce(t *testing.T) {
	s := newShutdown(t.Context())
	defer s.Release()
	if !s.Signal(syscall.SIGINT) || s.Signal(syscall.SIGTERM) || s.Signal(syscall.SIGTERM) {
		t.Error("first and later signals were mixed up")
	}
	<-s.Immediate
	if s.Waiting.Err() == nil || s.Reasons().Signal != syscall.SIGINT {
		t.Errorf("reasons %+v", s.Reasons())
	}
	unrecorded := newShutdown(t.Context())
	defer unrecorded.Release()
	unrecorded.ClosedPipe(false)
	if unrecorded.Waiting.Err() == nil {
		t.Error("answers that nobody keeps are waited for")
	}
}
