package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
	"time"
)

// socket is a connection to a provider or its proxy, beneath TLS. It counts what passes.
type socket struct {
	net.Conn
	closed atomic.Bool
	open   *atomic.Int64 // how many sockets there are
	reads  atomic.Int64  // that brought something
	sent   atomic.Int64  // bytes
	down   atomic.Bool   // a request has told that it went down
	acked  atomic.Int64  // of them, as the connection was closed; negative where that is not known
}

// dial is what [http.Transport.DialContext] is.
type dial = func(ctx context.Context, network, address string) (net.Conn, error)

// sockets returns what dials as d does, and makes sockets of the connections, which open counts.
func sockets(d dial, open *atomic.Int64) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		s := &socket{Conn: conn, open: open}
		open.Add(1)
		s.acked.Store(-1)
		return s, nil
	}
}

// socketOf is the socket beneath conn, nil where there is none.
func socketOf(conn net.Conn) *socket {
	for {
		switch c := conn.(type) {
		case *socket:
			return c
		case *tls.Conn:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}

// Read implements net.Conn.
func (s *socket) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if n > 0 {
		s.reads.Add(1)
	}
	return n, err
}

// Write implements net.Conn.
func (s *socket) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	s.sent.Add(int64(n))
	return n, err
}

// Close implements net.Conn.
func (s *socket) Close() error {
	if s.closed.Swap(true) {
		return net.ErrClosed
	}
	s.acked.Store(acknowledged(s.Conn))
	s.open.Add(-1)
	return s.Conn.Close()
}

// acknowledged is how many of the bytes sent the other end has acknowledged, by now or when the
// socket was closed; -1 where that cannot be told.
func (s *socket) acknowledged() int64 {
	if n := acknowledged(s.Conn); n >= 0 {
		return n
	}
	return s.acked.Load()
}

// late reports whether err, of a request under ctx, is that something did not come in time.
func late(ctx context.Context, err error) bool {
	var e net.Error
	return errors.Is(context.Cause(ctx), errTimeout) || errors.As(err, &e) && e.Timeout()
}

// link is what is known of the connection that a request was sent over. A request after the other
// may use it.
type link struct {
	trace  httptrace.ClientTrace
	conn   net.Conn // nil while there is none
	socket *socket  // beneath it; nil for the simulator's
	reused bool     // others were sent over it before
	reads  int64    // of the socket, when the request was sent
	sent   int64    // bytes before it
}

func newLink() *link {
	l := &link{}
	l.trace.GotConn = l.got
	return l
}

// got is told of the connection that the next request goes over.
func (l *link) got(info httptrace.GotConnInfo) {
	l.conn, l.reused = info.Conn, info.Reused
	if l.socket = socketOf(info.Conn); l.socket != nil {
		l.reads, l.sent = l.socket.reads.Load(), l.socket.sent.Load()
	}
}

// multiplexed reports whether other requests share the connection.
func (l *link) multiplexed() bool {
	c, ok := l.conn.(*tls.Conn)
	return ok && c.ConnectionState().NegotiatedProtocol == "h2"
}

// silent reports whether nothing at all has come since the request was sent, not even the answer to
// a ping.
func (l *link) silent() bool { return l.socket != nil && l.socket.reads.Load() == l.reads }

// another reports whether err, of a request under ctx, tells of a shared connection that went down
// as a whole, and another request has told of that already.
func (l *link) another(ctx context.Context, err error) bool {
	var own streamError
	switch {
	case !l.multiplexed() || l.socket == nil:
		return false
	case late(ctx, err) && !l.silent(), errors.As(err, &own):
		return false
	}
	return l.socket.down.Swap(true)
}

// streamError takes what HTTP/2 says of one request, where the connection goes on: net/http's own
// type, which it does not export, makes itself any struct with these fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

// Error implements error.
func (streamError) Error() string { return "stream error" }

// staleWithin is how long a request may take at most to meet the end of a connection that was on
// its way: a round trip, generously. Later the end has to do with the request.
const staleWithin = time.Second

// stale reports whether a request that ended at once, with status or with err, met the end of a
// connection that had been kept: servers close those that have nothing to do, a word of it, a 408,
// before or not.
func (l *link) stale(status int, err error) bool {
	switch {
	case !l.reused || l.socket == nil || l.multiplexed():
		return false
	case err == nil:
		return status == http.StatusRequestTimeout
	}
	return status == 0 && (isEnd(err) || errors.Is(err, syscall.ECONNRESET))
}

// unread reports whether what was sent is known never to have been read, whose connection ended
// with err. After a reset that is not known: what was read may not have been acknowledged by then.
func (l *link) unread(err error) bool {
	return l.socket != nil && !l.multiplexed() && isEnd(err) && l.socket.acknowledged() == l.sent
}

// isEnd reports whether err is that of a connection that its other end has closed.
func isEnd(err error) bool {
	const closedIdle = "http: server closed idle connection" // net/http, which does not export it
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) || err.Error() == closedIdle
}
