package sim

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// threadIdle is how long a thread waits for its connection's next request, as in cpp-httplib, on
// which llama.cpp's server is built (CPPHTTPLIB_KEEPALIVE_TIMEOUT_SECOND in
// github.com/yhirose/cpp-httplib).
const threadIdle = 5 * time.Second

// threads is the listener of a server that lends each connection a thread until the connection
// ends. Connections beyond the number of threads are neither refused nor served: they wait for
// another to end, first come, first served.
type threads struct {
	net.Listener
	taken chan struct{} // its capacity is the number of threads
}

// Accept is part of net.Listener.
func (t *threads) Accept() (net.Conn, error) {
	conn, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &threadConn{Conn: conn, taken: t.taken, closed: make(chan struct{})}, nil
}

// bind makes the connections of l wait for the simulator's threads, if Options.Threads bounds them,
// and makes server close idle connections.
func (s *Server) bind(l net.Listener, server *http.Server) net.Listener {
	if s.threads == nil {
		return l
	}
	server.IdleTimeout, server.ReadHeaderTimeout = threadIdle, threadIdle
	return &threads{l, s.threads}
}

// threadConn is a connection that takes a thread when it is first read from, and gives the thread
// back when it is closed.
type threadConn struct {
	net.Conn
	taken   chan struct{}
	first   sync.Once
	state   atomic.Int32 // waits, runs or ended
	patient atomic.Int64 // how far off the read deadline was when it was set, before there was a thread; 0 for none
	closed  chan struct{}
}

const (
	waits int32 = iota
	runs
	ended
)

// Read is part of net.Conn.
func (c *threadConn) Read(p []byte) (int, error) {
	c.first.Do(c.take)
	return c.Conn.Read(p)
}

// take waits for a thread, or for the connection to be closed.
func (c *threadConn) take() {
	select {
	case <-c.closed:
		return
	case c.taken <- struct{}{}:
	}
	if !c.state.CompareAndSwap(waits, runs) {
		<-c.taken // it was closed meanwhile
		return
	}
	if d := c.patient.Load(); d > 0 {
		_ = c.Conn.SetReadDeadline(time.Now().Add(time.Duration(d))) // Read says what is wrong
	}
}

// SetReadDeadline is part of net.Conn. The time of a connection begins when it has a thread.
func (c *threadConn) SetReadDeadline(t time.Time) error {
	if c.state.Load() != waits {
		return c.Conn.SetReadDeadline(t)
	}
	var d time.Duration
	if !t.IsZero() {
		d = time.Until(t)
	}
	c.patient.Store(int64(d))
	return nil
}

// Close is part of net.Conn.
func (c *threadConn) Close() error {
	switch c.state.Swap(ended) {
	case runs:
		<-c.taken
	case waits:
		close(c.closed)
	}
	return c.Conn.Close()
}
