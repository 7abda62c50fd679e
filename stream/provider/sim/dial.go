package sim

import (
	"context"
	"net"
	"sync"
)

// DialContext connects to the simulator without a socket. It ignores the network and the address,
// so that it works as http.Transport.DialContext for any plain http URL. A reset or a hang looks as
// it does on a network. After Close it fails with net.ErrClosed.
func (s *Server) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	s.serve.Do(func() {
		go func() {
			defer close(s.served)
			// Serve ends with Close, and its error says only that.
			_ = s.server.Serve(s.bind(s.listener, s.server))
		}()
	})
	return s.listener.Dial(ctx)
}

// addr is both ends' address of an in-memory connection.
type addr struct{}

func (addr) Network() string { return "sim" }
func (addr) String() string  { return "sim" }

// Listener is a net.Listener without a socket: it hands the far ends of dialled connections to a
// server.
type Listener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// NewListener returns an open Listener.
func NewListener() *Listener {
	return &Listener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Dial connects to the caller of Accept. After Close it fails with net.ErrClosed.
func (l *Listener) Dial(ctx context.Context) (net.Conn, error) {
	near, far := newConns()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, errDial(net.ErrClosed)
	case <-ctx.Done():
		return nil, errDial(ctx.Err())
	}
}

func errDial(err error) error {
	return &net.OpError{Op: "dial", Net: addr{}.Network(), Addr: addr{}, Err: err}
}

// Accept is part of net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close is part of net.Listener.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is part of net.Listener.
func (l *Listener) Addr() net.Addr { return addr{} }
