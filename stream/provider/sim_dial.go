package provider

import (
	"context"
	"net"
	"sync"
)

// DialContext connects to the simulator without a socket, whatever the network
// and the address: it is meant for http.Transport.DialContext with any plain
// http URL. A reset or a hang shows as it does on a network. After Close it
// fails with net.ErrClosed.
func (s *Sim) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	s.serve.Do(func() {
		go func() {
			defer close(s.served)
			// It ends with Close, and says no more than that.
			_ = s.server.Serve(s.listener)
		}()
	})
	return s.listener.dial(ctx)
}

// simAddr is both ends' address of an in-memory connection.
type simAddr struct{}

func (simAddr) Network() string { return "sim" }
func (simAddr) String() string  { return "sim" }

// simListener hands the far ends of dialled connections to a server.
type simListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newSimListener() *simListener {
	return &simListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *simListener) dial(ctx context.Context) (net.Conn, error) {
	near, far := newSimConns()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, errSimDial(net.ErrClosed)
	case <-ctx.Done():
		return nil, errSimDial(ctx.Err())
	}
}

func errSimDial(err error) error {
	return &net.OpError{Op: "dial", Net: simAddr{}.Network(), Addr: simAddr{}, Err: err}
}

// Accept is part of net.Listener.
func (l *simListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close is part of net.Listener.
func (l *simListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is part of net.Listener.
func (l *simListener) Addr() net.Addr { return simAddr{} }
