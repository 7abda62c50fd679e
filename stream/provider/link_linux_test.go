package provider

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"llmpipe/stream/provider/socket"
	"llmpipe/stream/record"
)

// blind is a connection that sees nothing of what comes after its first answer before it has sent
// another request, which it does when the server has closed it: as if the way were long.
type blind struct {
	*net.TCPConn
	closed   <-chan struct{} // by the server
	again    chan struct{}   // closed when the second request was sent
	once     sync.Once
	asked    atomic.Bool
	answered atomic.Bool
}

func (b *blind) Write(p []byte) (int, error) {
	if !b.asked.Swap(true) {
		return b.TCPConn.Write(p)
	}
	<-b.closed
	defer b.once.Do(func() { close(b.again) })
	return b.TCPConn.Write(p)
}

func (b *blind) Read(p []byte) (int, error) {
	if b.answered.Load() {
		<-b.again
	}
	n, err := b.TCPConn.Read(p)
	b.answered.Store(n > 0)
	return n, err
}

func (b *blind) Close() error {
	b.once.Do(func() { close(b.again) })
	return b.TCPConn.Close()
}

// farewell is a server that ends each of its first connections after the first answer without a
// word. It reads the next request before, or never, as reads says, and counts those that it has
// read.
type farewell struct {
	net.Listener
	reads    bool
	requests atomic.Int64
	closed   chan struct{}
}

func (f *farewell) serve(first net.Conn) {
	r := bufio.NewReader(first)
	f.read(r)
	fmt.Fprintf(first, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answeredBody), answeredBody)
	if f.reads {
		close(f.closed) // so that the request is sent
		f.read(r)
		_ = first.Close()
		return
	}
	_ = first.Close()
	close(f.closed)
}

func (f *farewell) read(r *bufio.Reader) {
	if req, err := http.ReadRequest(r); err == nil {
		_, _ = io.Copy(io.Discard, req.Body)
		f.requests.Add(1)
	}
}

// A request that meets the end of a kept connection is no attempt, and the next goes over a new
// one. Whether it may be billed depends on whether it was read.
func TestStaleConnection(t *testing.T) {
	for name, c := range map[string]struct {
		reads    bool
		requests int64
	}{
		"never read":         {false, 2},
		"read, not answered": {true, 3},
	} {
		t.Run(name, func(t *testing.T) {
			f := &farewell{reads: c.reads, closed: make(chan struct{})}
			var err error
			if f.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			others := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				f.requests.Add(1)
				_, _ = io.WriteString(w, answeredBody)
			}))
			defer others.Close()
			go func() {
				if conn, err := f.Accept(); err == nil {
					f.serve(conn)
				}
			}()
			client, err := New(Config{BaseURL: "http://" + f.Addr().String() + "/v1"})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			client.connections.current.Load().DialContext = socket.Count(func(context.Context, string, string) (net.Conn, error) {
				conn, err := net.Dial("tcp", f.Addr().String())
				if err != nil {
					return nil, err
				}
				return &blind{TCPConn: conn.(*net.TCPConn), closed: f.closed, again: make(chan struct{})}, nil
			}, new(atomic.Int64))
			client.connections.fresh.DialContext = socket.Count(func(context.Context, string, string) (net.Conn, error) {
				return net.Dial("tcp", others.Listener.Addr().String())
			}, new(atomic.Int64))
			r := &Reply{}
			for i, want := range []struct {
				class       Class
				stale, sent bool
			}{{OK, false, false}, {Transient, true, c.reads}, {OK, false, false}} {
				client.Ask(t.Context(), record.Chat, []byte(`{}`), r)
				if r.Class != want.class || r.Stale != want.stale || r.Sent != want.sent && i == 1 {
					t.Errorf("request %d: %v, %v, %+v", i+1, r.Class, r.Err, r)
				}
			}
			if n := f.requests.Load(); n != c.requests {
				t.Errorf("%d requests were read", n)
			}
		})
	}
}
