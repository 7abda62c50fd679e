package sim

import (
	"math"
	"net/http"
	"time"
)

// linkLeft returns how long the link will stay up; 0 while it is down.
func (s *Server) linkLeft() time.Duration {
	if s.options.LinkDown <= 0 {
		return math.MaxInt64
	}
	up := s.options.LinkUp
	return max(0, up-time.Since(s.start)%(up+s.options.LinkDown))
}

// cut resets a connection whose link went down.
func (s *Server) cut(w http.ResponseWriter) {
	s.stats.faulted(down)
	s.reset(w)
}

// hang waits for the client to go away, the simulator to close or the link to go down.
func (s *Server) hang(r *http.Request) {
	var cut <-chan time.Time
	if s.options.LinkDown > 0 {
		timer := time.NewTimer(s.linkLeft())
		defer timer.Stop()
		cut = timer.C
	}
	select {
	case <-r.Context().Done():
	case <-s.done:
	case <-cut:
	}
}
