package provider

import (
	"io"
	"sync"
	"time"
)

// stall ends a call that has been waited on for too long. An upload or download pauses it while
// this side is at work, and resumes it with the full limit to wait for the next bytes.
type stall struct {
	limit time.Duration

	mu    sync.Mutex
	timer *time.Timer
	over  bool // the transport may still read after the call has ended
}

// begin arranges for end to be called after limit.
func (s *stall) begin(limit time.Duration, end func()) {
	s.limit = limit
	s.timer = time.AfterFunc(limit, end)
}

// end pauses the stall for good.
func (s *stall) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.timer.Stop()
}

func (s *stall) pause() { s.timer.Stop() }

func (s *stall) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.timer.Reset(s.limit)
	}
}

// arrival is a response's body. Time spent waiting for it counts towards a stall; time spent on
// what was read does not.
type arrival struct {
	body io.ReadCloser
	call *call
}

// Read is part of io.Reader.
func (a *arrival) Read(p []byte) (int, error) {
	a.call.stall.resume()
	n, err := a.body.Read(p)
	a.call.stall.pause()
	if err != nil && err != io.EOF {
		a.call.err = err
	}
	return n, err
}

// Close is part of io.Closer.
func (a *arrival) Close() error { return a.body.Close() }
