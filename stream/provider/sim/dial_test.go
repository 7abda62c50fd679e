package sim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// A connection carries bytes unchanged, whatever the sizes written and read.
func TestSimConnCarriesBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(0, 3*connBuffer), 0, 8).Draw(rt, "writes")
		step := rapid.IntRange(1, 2*connBuffer).Draw(rt, "read")
		var sent []byte
		for i, size := range sizes {
			sent = append(sent, bytes.Repeat([]byte{byte('a' + i)}, size)...)
		}
		near, far := newConns()
		wrote := make(chan error, 1)
		go func() {
			rest := sent
			for _, size := range sizes {
				if n, err := near.Write(rest[:size]); err != nil || n != size {
					wrote <- errors.Join(err, io.ErrShortWrite)
					return
				}
				rest = rest[size:]
			}
			wrote <- near.Close()
		}()
		var got []byte
		buffer := make([]byte, step)
		for {
			n, err := far.Read(buffer)
			got = append(got, buffer[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		if err := <-wrote; err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(got, sent) {
			rt.Fatalf("read %d bytes, %d written", len(got), len(sent))
		}
	})
}

func TestSimConnEnds(t *testing.T) {
	tests := []struct {
		name                          string
		end                           func(near, far *memoryConn)
		nearRead, nearWrite, farWrite error
		farRead                       string // what far reads before its error
		farError                      error
	}{
		{"closed", func(near, _ *memoryConn) { near.Close() },
			net.ErrClosed, net.ErrClosed, syscall.EPIPE, "last words", io.EOF},
		{"reset", func(near, _ *memoryConn) { near.reset() },
			syscall.ECONNRESET, syscall.ECONNRESET, syscall.ECONNRESET, "", syscall.ECONNRESET},
		{"reset and closed", func(near, _ *memoryConn) { near.reset(); near.Close() },
			net.ErrClosed, net.ErrClosed, syscall.ECONNRESET, "", syscall.ECONNRESET},
		{"both closed", func(near, far *memoryConn) { near.Close(); far.Close() },
			net.ErrClosed, net.ErrClosed, net.ErrClosed, "", net.ErrClosed},
		{"deadline passed", func(near, far *memoryConn) { near.SetDeadline(time.Unix(1, 0)); far.SetDeadline(time.Unix(1, 0)) },
			os.ErrDeadlineExceeded, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded, "", os.ErrDeadlineExceeded},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			near, far := newConns()
			if _, err := near.Write([]byte("last words")); err != nil {
				t.Fatal(err)
			}
			test.end(near, far)
			if _, err := near.Read(make([]byte, 1)); !errors.Is(err, test.nearRead) {
				t.Errorf("near reads %v, want %v", err, test.nearRead)
			}
			if _, err := near.Write([]byte("x")); !errors.Is(err, test.nearWrite) {
				t.Errorf("near writes %v, want %v", err, test.nearWrite)
			}
			if _, err := far.Write([]byte("x")); !errors.Is(err, test.farWrite) {
				t.Errorf("far writes %v, want %v", err, test.farWrite)
			}
			buffer := make([]byte, 100)
			n, err := far.Read(buffer)
			if n > 0 && err == nil {
				_, err = far.Read(buffer[n:])
			}
			if string(buffer[:n]) != test.farRead || !errors.Is(err, test.farError) {
				t.Errorf("far reads %q, %v, want %q, %v", buffer[:n], err, test.farRead, test.farError)
			}
		})
	}
}

func TestSimConnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := newConns()
		defer near.Close()
		defer far.Close()
		start := time.Now()
		near.SetReadDeadline(start.Add(time.Hour))
		near.SetReadDeadline(start.Add(time.Second)) // the last one counts
		_, err := near.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) != time.Second {
			t.Fatalf("read ended with %v after %v", err, time.Since(start))
		}
		near.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(2 * time.Hour)
			far.Write([]byte("x"))
		}()
		if n, err := near.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("without a deadline: %d, %v", n, err)
		}
		start = time.Now()
		near.SetWriteDeadline(start.Add(time.Minute))
		n, err := near.Write(make([]byte, connBuffer+1))
		if n != connBuffer || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("full: wrote %d, %v after %v", n, err, time.Since(start))
		}
	})
}

// A timer that fires while its deadline is being moved changes nothing.
func TestSimConnStaleDeadline(t *testing.T) {
	near, far := newConns()
	defer near.Close()
	stale := near.in.reader.setting
	near.SetReadDeadline(time.Now().Add(time.Hour))
	near.in.reader.pass(stale)
	far.Write([]byte("x"))
	if n, err := near.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}

func TestSimDial(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Latency: time.Minute})
		client := connect(t, s)
		large := strings.Replace(hello, "What", strings.Repeat("What ", 1<<18), 1)
		start := time.Now()
		for _, body := range []string{hello, large} {
			status, answer, err := sendBody(t.Context(), client, body)
			if err != nil || status != 200 || !bytes.Contains(answer, []byte(`\"What`)) {
				t.Errorf("answered %d %s, %v", status, answer, err)
			}
		}
		if got := time.Since(start); got != 2*time.Minute {
			t.Errorf("two answers took %v", got)
		}
		// A client that gives up frees its place at once.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := sendBody(ctx, client, hello); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("gave up with %v", err)
		}
		synctest.Wait()
		if stats := s.Stats(); stats.Abandoned != 1 || stats.InFlight != 0 || stats.Answered != 2 {
			t.Errorf("counted %+v", stats)
		}
	})
}

// Close breaks off what hangs and what waits, and lets nobody in.
func TestSimClose(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, o := range []Options{{Hang: 1}, {Latency: time.Hour}} {
		synctest.Test(t, func(t *testing.T) {
			s := New(o)
			client := connect(t, s)
			failed := make(chan error)
			go func() {
				_, _, err := sendBody(t.Context(), client, hello)
				failed <- err
			}()
			synctest.Wait()
			s.Close()
			s.Close()
			if err := <-failed; err == nil {
				t.Error("the request was answered")
			}
			if _, err := s.DialContext(t.Context(), "tcp", "sim:80"); !errors.Is(err, net.ErrClosed) {
				t.Errorf("dialling: %v", err)
			}
		})
	}
	// Nobody's server breaks these connections off but the handler itself.
	for _, o := range []Options{{Hang: 1}, {Latency: time.Hour}} {
		synctest.Test(t, func(t *testing.T) {
			s := New(o)
			ended := make(chan any)
			go func() {
				defer func() { ended <- recover() }()
				post(s, "/v1/chat/completions", hello)
			}()
			synctest.Wait()
			closed := time.Now()
			s.Close()
			if got := <-ended; got != http.ErrAbortHandler || time.Since(closed) > 0 {
				t.Errorf("ended with %v, %v after Close", got, time.Since(closed))
			}
		})
	}
	New(Options{}).Close() // never dialled
}

func TestSimDialGivesUp(t *testing.T) {
	listener := NewListener() // nobody accepts
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := listener.Dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("dialling: %v", err)
	}
}

// Over TCP a reset is a reset too, and a hang ends with its client.
func TestSimOverTCP(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ask := func(ctx context.Context, o Options) error {
		s := New(o)
		defer s.Close()
		server := httptest.NewServer(s)
		defer server.Close()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(hello))
		if err != nil {
			t.Fatal(err)
		}
		w, err := server.Client().Do(r)
		if err == nil {
			w.Body.Close()
		}
		return err
	}
	if err := ask(t.Context(), Options{}); err != nil {
		t.Error(err)
	}
	// Windows has an error number of its own for it.
	if err := ask(t.Context(), Options{Reset: 1}); err == nil || runtime.GOOS != "windows" && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := ask(ctx, Options{Hang: 1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hang: %v", err)
	}
}

// Without a connection to break, a reset is the panic that servers know.
func TestSimResetWithoutConnection(t *testing.T) {
	s := New(Options{Reset: 1})
	defer s.Close()
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("panic %v", got)
		}
	}()
	post(s, "/v1/chat/completions", hello)
	t.Error("it was answered")
}
