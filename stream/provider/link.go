package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"syscall"
	"time"

	"llmpipe/stream/provider/socket"
)

// late reports whether err, from a request under ctx, is a time-out.
func late(ctx context.Context, err error) bool {
	var e net.Error
	return errors.Is(context.Cause(ctx), errTimeout) || errors.As(err, &e) && e.Timeout()
}

// link is what is known about the connection that a request was sent over. One link may serve
// successive requests.
type link struct {
	trace  httptrace.ClientTrace
	conn   net.Conn       // nil while there is no connection
	socket *socket.Socket // beneath conn; nil for the simulator
	reused bool           // earlier requests were sent over the connection
	reads  int64          // reads of the socket before the request was sent
	sent   int64          // bytes sent over the socket before the request
}

func newLink() *link {
	l := &link{}
	l.trace.GotConn = l.got
	return l
}

// got takes the connection that the next request goes over.
func (l *link) got(info httptrace.GotConnInfo) {
	l.conn, l.reused = info.Conn, info.Reused
	if l.socket = socket.Of(info.Conn); l.socket != nil {
		l.reads, l.sent = l.socket.Reads(), l.socket.Sent()
	}
}

// multiplexed reports whether other requests share the connection.
func (l *link) multiplexed() bool {
	c, ok := l.conn.(*tls.Conn)
	return ok && c.ConnectionState().NegotiatedProtocol == "h2"
}

// silent reports whether nothing at all has come since the request was sent, not even an answer to
// a ping.
func (l *link) silent() bool { return l.socket != nil && l.socket.Reads() == l.reads }

// another reports whether err, from a request under ctx, means that a shared connection went down
// as a whole and another request has already reported that.
func (l *link) another(ctx context.Context, err error) bool {
	var own streamError
	switch {
	case !l.multiplexed() || l.socket == nil:
		return false
	case late(ctx, err) && !l.silent(), errors.As(err, &own):
		return false
	}
	return l.socket.WentDown()
}

// streamError receives an HTTP/2 error that ends one request while the connection goes on. net/http
// does not export its own type, but converts it to any struct with these fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

// Error implements error.
func (streamError) Error() string { return "stream error" }

// staleWithin is how long a request may take to meet the end of a connection that was already
// closing: a generous round trip. An end that comes later has to do with the request.
const staleWithin = time.Second

// stale reports whether a request that ended at once, with status or err, met the end of a kept
// connection. Servers close idle connections, some after sending a 408 and some without a word.
func (l *link) stale(status int, err error) bool {
	switch {
	case !l.reused || l.socket == nil || l.multiplexed():
		return false
	case err == nil:
		return status == http.StatusRequestTimeout
	}
	return status == 0 && (isEnd(err) || errors.Is(err, syscall.ECONNRESET))
}

// unread reports whether a request, whose connection ended with err, is known never to have been
// read. After a reset that is unknown: bytes may have been read without being acknowledged by then.
func (l *link) unread(err error) bool {
	return l.socket != nil && !l.multiplexed() && isEnd(err) && l.socket.Acknowledged() == l.sent
}

// isEnd reports whether err comes from a connection that the other end has closed.
func isEnd(err error) bool {
	const closedIdle = "http: server closed idle connection" // net/http, which does not export it
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) || err.Error() == closedIdle
}
