package provider

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
)

// socket is a connection to a provider or its proxy, beneath TLS. It counts what passes.
type socket struct {
	net.Conn
	closed atomic.Bool
	open   *atomic.Int64 // how many sockets there are
	reads  atomic.Int64  // that brought something
	sent   atomic.Int64  // bytes
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

// acknowledged is how many of the bytes sent the other end has acknowledged, by now or when the socket was closed; -1 where that cannot be
// told.
func (s *socket) acknowledged() int64 {
	if n := acknowledged(s.Conn); n >= 0 {
		return n
	}
	return s.acked.Load()
}
