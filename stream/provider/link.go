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

// late reports whether err, of a request under ctx, is that something did not come in time.
func late(ctx context.Context, err error) bool {
	var e net.Error
	return errors.Is(context.Cause(ctx), errTimeout) || errors.As(err, &e) && e.Timeout()
}

// link is what is known of the connection that a request was sent over. A request after the other
// may use it.
type link struct {
	trace  httptrace.ClientTrace
	conn   net.Conn       // nil while there is none
	socket *socket.Socket // beneath it; nil for the simulator's
	reused bool           // others were sent over it before
	reads  int64          // of the socket, when the request was sent
	sent   int64          // bytes before it
}

func newLink() *link {
	l := &link{}
	l.trace.GotConn = l.got
	return l
}

// got is told of the connection that the next request goes over.
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

// silent reports whether nothing at all has come since the request was sent, not even the answer to
// a ping.
func (l *link) silent() bool { return l.socket != nil && l.socket.Reads() == l.reads }

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
	return l.socket.WentDown()
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
	return l.socket != nil && !l.multiplexed() && isEnd(err) && l.socket.Acknowledged() == l.sent
}

// isEnd reports whether err is that of a connection that its other end has closed.
func isEnd(err error) bool {
	const closedIdle = "http: server closed idle connection" // net/http, which does not export it
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) || err.Error() == closedIdle
}
