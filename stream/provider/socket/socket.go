// Package socket counts the connections to a provider or its proxy, and what passes over them. The
// counts show whether a request can have been read, and whether a silent connection is alive.
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
	open   *atomic.Int64 // how many sockets are open
	reads  atomic.Int64  // reads that brought something
	sent   atomic.Int64  // bytes
	down   atomic.Bool   // a request has reported that the connection went down
	acked  atomic.Int64  // acknowledged bytes when the connection was closed; negative if unknown
}

// Dial is the type of [http.Transport.DialContext].
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// Count returns a Dial that dials by d and wraps each connection in a [Socket]. It keeps in open
// how many of them are open.
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

// Of returns the socket beneath conn, or nil if there is none.
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

// Acknowledged returns how many of the bytes sent the other end has acknowledged by now, or had
// when the socket was closed. It is -1 if that is unknown.
func (s *Socket) Acknowledged() int64 {
	if n := acknowledged(s.Conn); n >= 0 {
		return n
	}
	return s.acked.Load()
}

// Reads returns how many reads have brought something.
func (s *Socket) Reads() int64 { return s.reads.Load() }

// Sent returns how many bytes were sent.
func (s *Socket) Sent() int64 { return s.sent.Load() }

// WentDown notes that a request has reported that the connection went down. It reports whether
// another request had done so before.
func (s *Socket) WentDown() bool { return s.down.Swap(true) }
