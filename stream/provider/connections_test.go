package provider

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/stream/provider/sim"
	"llmpipe/stream/provider/socket"
	"llmpipe/stream/record"
)

// wire is a network whose connections can go silent: what either end writes then vanishes, without
// a sign of it.
type wire struct {
	dial    socket.Dial
	dials   atomic.Int64
	silence atomic.Pointer[atomic.Bool] // of the connections made since the last cut
}

func newWire(d socket.Dial) *wire {
	w := &wire{dial: d}
	w.silence.Store(new(atomic.Bool))
	return w
}

// cut makes all connections silent that there are.
func (w *wire) cut() { w.silence.Swap(new(atomic.Bool)).Store(true) }

func (w *wire) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := w.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.dials.Add(1)
	return &cuttable{Conn: conn, cut: w.silence.Load()}, nil
}

type cuttable struct {
	net.Conn
	cut *atomic.Bool
}

func (c *cuttable) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.cut.Load() {
			return n, err
		}
	}
}

func (c *cuttable) Write(p []byte) (int, error) {
	if c.cut.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// overWire returns a client of a server in a bubble that answers after latency, over TLS and HTTP/2
// if secure is set, and the wire between them.
func overWire(t *testing.T, secure bool, timeout, latency time.Duration) (*Client, *wire) {
	t.Helper()
	listener := sim.NewListener()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		time.Sleep(latency)
		if string(body) == abort {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, answeredBody)
	}))
	_ = server.Listener.Close()
	server.Listener = listener
	base := "http://provider.test/v1"
	if server.EnableHTTP2 = secure; secure {
		base = "https://provider.test/v1"
		server.StartTLS()
	} else {
		server.Start()
	}
	w := newWire(func(ctx context.Context, _, _ string) (net.Conn, error) { return listener.Dial(ctx) })
	client, err := New(Config{BaseURL: base, Timeout: timeout, Connections: 64})
	if err != nil {
		t.Fatal(err)
	}
	usual := client.connections.make
	client.connections.make = func() *http.Transport {
		transport := usual()
		transport.DialContext = socket.Count(w.DialContext, &client.connections.open)
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // a bubble's time is before any certificate's
		return transport
	}
	client.connections.current.Store(client.connections.make())
	t.Cleanup(func() {
		client.Close()
		_ = server.Config.Close()
		time.Sleep(time.Hour) // what was cut off has long timed out then
	})
	return client, w
}

// abort is a request that its server gives up, alone among those on its connection.
const abort = `{"abort":true}`

// askOnce makes one attempt, and returns how long it took.
func askOnce(t *testing.T, c *Client) (*Reply, time.Duration) {
	r := &Reply{}
	start := time.Now()
	c.Ask(t.Context(), record.Chat, []byte(`{"model":"m","messages":[]}`), r)
	return r, time.Since(start)
}

// A connection that goes silent is given up long before a patient attempt is, and the next goes
// over a new one.
func TestSilentConnectionIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, w := overWire(t, true, DefaultTimeout, 0)
		if r, _ := askOnce(t, client); r.Class != OK {
			t.Fatal(r.Err)
		}
		w.cut()
		if r, took := askOnce(t, client); r.Class != Transient || !r.Sent || took > silence+pingTimeout {
			t.Errorf("over a silent connection: %v, %v after %s", r.Class, r.Err, took)
		}
		if r, took := askOnce(t, client); r.Class != OK || took > 0 || w.dials.Load() != 2 {
			t.Errorf("then: %v, %v after %s, over connection %d", r.Class, r.Err, took, w.dials.Load())
		}
	})
}

// After a time-out nothing is sent over the same connection, nor over another that was idle
// meanwhile.
func TestNothingIsSentOverDeadConnections(t *testing.T) {
	for name, secure := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		synctest.Test(t, func(t *testing.T) {
			client, w := overWire(t, secure, 5*time.Second, time.Second)
			done := make(chan struct{})
			for range 2 {
				go func() {
					askOnce(t, client)
					done <- struct{}{}
				}()
			}
			<-done
			<-done
			before := w.dials.Load()
			w.cut()
			if r, took := askOnce(t, client); r.Err == nil || r.Err.Type != "timeout" || took != 5*time.Second {
				t.Errorf("%s: over a silent connection: %v, %v after %s", name, r.Class, r.Err, took)
			}
			if r, took := askOnce(t, client); r.Class != OK || took != time.Second || w.dials.Load() != before+1 {
				t.Errorf("%s: then: %v, %v after %s, over connection %d", name, r.Class, r.Err, took, w.dials.Load())
			}
		})
	}
}

// A connection over which a ping comes back lives, however long its answers take.
func TestSlowConnectionIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, w := overWire(t, true, 45*time.Second, time.Minute)
		for range 3 {
			if r, took := askOnce(t, client); r.Err == nil || r.Err.Type != "timeout" || took != 45*time.Second {
				t.Errorf("%v, %v after %s", r.Class, r.Err, took)
			}
		}
		if w.dials.Load() != 1 {
			t.Errorf("%d connections", w.dials.Load())
		}
	})
}

// Idle connections are let go of when fewer requests may be in flight than were, when fewer have
// been for a while, and when no more will be. Those that are of use are kept.
func TestIdleConnectionsAreLetGo(t *testing.T) {
	const many = 64
	for name, c := range map[string]struct {
		expected    int           // from when the requests have been answered
		later       time.Duration // that is said again and again for so long
		least, most int64         // open then
	}{
		"as many may be":      {many, 0, many, many},
		"few may be":          {6, 0, 0, 6 + 1 + slack},
		"none has been":       {many, 10 * time.Second, 0, slack},
		"none will be":        {0, 0, 0, 0},
		"as many will be":     {many, 200 * time.Millisecond, many, many},
		"one now and then is": {1, time.Second, 0, 1 + slack},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, w := overWire(t, false, time.Minute, time.Second)
			client.Expect(many)
			for range many {
				go askOnce(t, client)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			before := w.dials.Load()
			client.Expect(c.expected)
			for range c.later / (100 * time.Millisecond) {
				time.Sleep(100 * time.Millisecond)
				client.Expect(c.expected)
			}
			synctest.Wait()
			if open := client.connections.open.Load(); open < c.least || open > c.most || before != many {
				t.Errorf("%s: %d of %d connections are open", name, open, before)
			}
		})
	}
}

// Where fewer may be in flight than are, connections close as they come free.
func TestConnectionsCloseAsTheyComeFree(t *testing.T) {
	const many, few = 32, 4
	synctest.Test(t, func(t *testing.T) {
		client, _ := overWire(t, false, time.Minute, time.Second)
		start := time.Now()
		for i := range many {
			go func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				askOnce(t, client)
			}()
		}
		time.Sleep(500 * time.Millisecond)
		client.Expect(few)
		for answered := range int64(many) {
			time.Sleep(time.Until(start.Add(time.Second + time.Duration(answered)*time.Millisecond + time.Microsecond)))
			synctest.Wait()
			if open, most := client.connections.open.Load(), max(many-answered-1, few+few/4+slack); open > most {
				t.Errorf("after %d answers %d connections are open, want at most %d", answered+1, open, most)
			}
		}
	})
}

// Requests that fail with the connection they share are one failure, however many they are. What
// fails alone over a connection that goes on is one by itself.
func TestSharedFailure(t *testing.T) {
	const many = 12
	for name, c := range map[string]struct {
		timeout time.Duration
		want    int // that are failures of their own
	}{
		"a lost connection":  {DefaultTimeout, 1},
		"a silent one":       {3 * time.Second, 1},
		"aborted one by one": {0, many},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, w := overWire(t, true, c.timeout, time.Second)
			askOnce(t, client)
			var own atomic.Int64
			body := `{"model":"m","messages":[]}`
			if c.timeout == 0 {
				body = abort
			} else {
				w.cut()
			}
			var all sync.WaitGroup
			for range many {
				all.Go(func() {
					r := &Reply{}
					client.Ask(t.Context(), record.Chat, []byte(body), r)
					if r.Class != Transient {
						t.Errorf("%s: %v, %v", name, r.Class, r.Err)
					}
					if !r.Shared {
						own.Add(1)
					}
				})
			}
			all.Wait()
			if n := own.Load(); n != int64(c.want) {
				t.Errorf("%s: %d of %d requests are failures of their own, want %d", name, n, many, c.want)
			}
		})
	}
}

// A kept connection that ends at once was closed before the request came; one that ends later ends
// with the request, and so does a new one.
func TestStaleIsKeptAndAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		kept    bool
		latency time.Duration
		stale   bool
	}{
		"kept, at once": {true, 0, true},
		"kept, later":   {true, 2 * staleWithin, false},
		"new, at once":  {false, 0, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, _ := overWire(t, false, time.Minute, c.latency)
			if c.kept {
				askOnce(t, client)
			}
			r := &Reply{}
			client.Ask(t.Context(), record.Chat, []byte(abort), r)
			if r.Class != Transient || r.Stale != c.stale || !r.Sent {
				t.Errorf("%s: %v, %v, %+v", name, r.Class, r.Err, r)
			}
		})
	}
}
