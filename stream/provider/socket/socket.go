// Package socket counts what passes over the connections to a provider or its proxy, and how many
// there are: by that it is told whether a request can have been read, and whether a silent
// connection lives.
package socket

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
)

// Socket is a connection, beneath TLS.
type Socket struct {
	net.Conn
	closed atomic.Bool
	open   *atomic.Int64 // how many sockets there are
	reads  atomic.Int64  // that brought something
	sent   atomic.Int64  // bytes
	down   atomic.Bool   // a request has told that it went down
	acked  atomic.Int64  // of them, as the connection was closed; negative where that is not known
}

// Dial is what [http.Transport.DialContext] is.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// Count returns what dials as d does, and makes sockets of the connections. open is how many of
// them are open.
func Count(d Dial, open *atomic.Int64) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		s := &Socket{Conn: conn, open: open}
		open.Add(1)
		s.acked.Store(-1)
		return s, nil
	}
}

// Of is the socket beneath conn, nil where there is none.
func Of(conn net.Conn) *Socket {
	for {
		switch c := conn.(type) {
		case *Socket:
			return c
		case *tls.Conn:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}

// Read implements net.Conn.
func (s *Socket) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if n > 0 {
		s.reads.Add(1)
	}
	return n, err
}

// Write implements net.Conn.
func (s *Socket) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	s.sent.Add(int64(n))
	return n, err
}

// Close implements net.Conn.
func (s *Socket) Close() error {
	if s.closed.Swap(true) {
		return net.ErrClosed
	}
	s.acked.Store(acknowledged(s.Conn))
	s.open.Add(-1)
	return s.Conn.Close()
}

// Acknowledged is how many of the bytes sent the other end has acknowledged, by now or when the
// socket was closed; -1 where that cannot be told.
func (s *Socket) Acknowledged() int64 {
	if n := acknowledged(s.Conn); n >= 0 {
		return n
	}
	return s.acked.Load()
}

// Reads is how many reads have brought something.
func (s *Socket) Reads() int64 { return s.reads.Load() }

// Sent is how many bytes were sent.
func (s *Socket) Sent() int64 { return s.sent.Load() }

// WentDown notes that a request has told that the connection went down, and reports whether another
// one had before.
func (s *Socket) WentDown() bool { return s.down.Swap(true) }
