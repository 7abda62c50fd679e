package provider

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/stream/provider/sim"
)

// inBubble returns a client of a server that answers as h does, over connections that keep to the
// bubble's clock.
func inBubble(t *testing.T, timeout time.Duration, h http.Handler) *Client {
	t.Helper()
	listener := sim.NewListener()
	server := &http.Server{Handler: h}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	client, err := New(Config{BaseURL: "sim:", Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	client.connections.current.Load().DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return listener.Dial(ctx) }
	t.Cleanup(func() {
		client.Close()
		_ = server.Close()
		<-served
		time.Sleep(2 * time.Hour) // the handlers below sleep for an hour at most, and a bubble ends when all have returned
	})
	return client
}

// transferLimit is the time-out of the clients below.
const transferLimit = time.Minute

// slowWriter takes longer for what it is given than a transfer may stand still.
type slowWriter struct{}

func (slowWriter) Write(p []byte) (int, error) {
	time.Sleep(2 * transferLimit)
	return len(p), nil
}

// trickle sends ten bytes, each just in time.
func trickle(w http.ResponseWriter, _ *http.Request) {
	for range 10 {
		time.Sleep(transferLimit - time.Second)
		_, _ = io.WriteString(w, "x")
		_ = http.NewResponseController(w).Flush()
	}
}

// A transfer takes as long as bytes move. What this side does with them does not count.
func TestTransferMayBeSlow(t *testing.T) {
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		call   func(context.Context, *Client) error
	}{
		"bytes that come slowly": {trickle, func(ctx context.Context, c *Client) error {
			return downloading(ctx, c, io.Discard)
		}},
		"a slow writer": {trickle, func(ctx context.Context, c *Client) error {
			return downloading(ctx, c, slowWriter{})
		}},
		"a slow reader, and an answer that takes its time": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(transferLimit - time.Second)
			answering(200, `{"id":"f"}`)(w, r)
		}, func(ctx context.Context, c *Client) error {
			content := readerAt(func(p []byte, _ int64) (int, error) {
				time.Sleep(2 * transferLimit)
				return len(p), nil
			})
			return uploading(ctx, c, content, 100<<10)
		}},
		"bytes that go slowly": {func(w http.ResponseWriter, r *http.Request) {
			chunk := make([]byte, 32<<10)
			for {
				time.Sleep(transferLimit / 8)
				if _, err := io.ReadFull(r.Body, chunk); err != nil {
					break
				}
			}
			answering(200, `{"id":"f"}`)(w, r)
		}, func(ctx context.Context, c *Client) error {
			return uploading(ctx, c, readerAt(func(p []byte, _ int64) (int, error) { return len(p), nil }), 1<<20)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := inBubble(t, transferLimit, c.handle)
				start := time.Now()
				if err := c.call(t.Context(), client); err != nil || time.Since(start) < 2*transferLimit {
					t.Errorf("after %s: %v", time.Since(start), err)
				}
			})
		})
	}
}

// A transfer that stands still ends after the time-out of an attempt.
func TestTransferStalls(t *testing.T) {
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		call   func(context.Context, *Client) error
		took   time.Duration
		sent   bool
	}{
		"a download without an answer": {func(http.ResponseWriter, *http.Request) { time.Sleep(time.Hour) },
			func(ctx context.Context, c *Client) error {
				return downloading(ctx, c, io.Discard)
			}, transferLimit, false},
		"a download that stops": {func(w http.ResponseWriter, r *http.Request) {
			trickle(w, r)
			time.Sleep(time.Hour)
		}, func(ctx context.Context, c *Client) error {
			return downloading(ctx, c, io.Discard)
		}, 10*(transferLimit-time.Second) + transferLimit, false},
		"an upload that stops": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 1<<10)
			time.Sleep(time.Hour)
		}, func(ctx context.Context, c *Client) error {
			return uploading(ctx, c, readerAt(func(p []byte, _ int64) (int, error) { return len(p), nil }), 1<<30)
		}, transferLimit, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := inBubble(t, transferLimit, c.handle)
				start := time.Now()
				err := c.call(t.Context(), client)
				if took := time.Since(start); took != c.took {
					t.Errorf("it took %s, want %s", took, c.took)
				}
				e := callErrorOf(t, err)
				if e.Class != Transient || e.Err.Type != "timeout" || e.Err.Message != "no byte moved for 1m0s" || e.Sent != c.sent {
					t.Errorf("%v, sent %t: %v", e.Class, e.Sent, err)
				}
			})
		})
	}
}

// A transfer that the caller ends is cancelled, not late.
func TestTransferCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := inBubble(t, transferLimit, http.HandlerFunc(trickle))
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		var got bytes.Buffer
		err := downloading(ctx, client, &got)
		if e := callErrorOf(t, err); got.Len() != 1 || e.Class != Cancelled {
			t.Errorf("%d bytes, %v: %v", got.Len(), e.Class, err)
		}
	})
}

// What the transport still reads when a call has ended starts no clock.
func TestStallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stall
		ended := 0
		s.begin(transferLimit, func() { ended++ })
		s.pause()
		s.resume()
		s.end()
		s.resume()
		time.Sleep(2 * transferLimit)
		if synctest.Wait(); ended != 0 {
			t.Errorf("it was ended %d times", ended)
		}
	})
}

// readerAt is a function as an io.ReaderAt.
type readerAt func(p []byte, at int64) (int, error)

func (f readerAt) ReadAt(p []byte, at int64) (int, error) { return f(p, at) }
