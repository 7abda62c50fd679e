package sim

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// apart gives clients that each have one connection to s.
func apart(t *testing.T, s *Server, n int) []*http.Client {
	clients := make([]*http.Client, n)
	for i := range clients {
		clients[i] = connect(t, s)
	}
	return clients
}

// A connection keeps its thread for as long as it asks, and five seconds more; the next in the line
// has it then.
func TestSimThreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Threads: 2, Latency: time.Second})
		start := time.Now()
		var answered [4][]time.Duration
		var clients sync.WaitGroup
		for i, client := range apart(t, s, 4) {
			time.Sleep(time.Millisecond) // one after the other
			clients.Go(func() {
				for range 3 {
					status, _, err := sendBody(t.Context(), client, hello)
					if status != http.StatusOK {
						t.Errorf("client %d: answered %d, %v", i, status, err)
						return
					}
					answered[i] = append(answered[i], time.Since(start).Truncate(100*time.Millisecond))
				}
			})
		}
		clients.Wait()
		first := []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}
		second := []time.Duration{9 * time.Second, 10 * time.Second, 11 * time.Second}
		for i, want := range [][]time.Duration{first, first, second, second} {
			if !slices.Equal(answered[i], want) {
				t.Errorf("client %d was answered after %v, want %v", i, answered[i], want)
			}
		}
		if s.Stats().PeakInFlight != 2 {
			t.Errorf("%d were served at once", s.Stats().PeakInFlight)
		}
	})
}

// Whoever goes frees the thread at once, and whoever went before having one takes none.
func TestSimThreadsAreFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Threads: 1, Latency: 10 * time.Second})
		clients := apart(t, s, 3)
		leave := func(client *http.Client, after time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			if _, _, err := sendBody(ctx, client, hello); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it ended with %v", err)
			}
		}
		start := time.Now()
		go leave(clients[0], 4*time.Second)
		synctest.Wait()
		go leave(clients[1], 2*time.Second)
		synctest.Wait()
		if status, _, err := sendBody(t.Context(), clients[2], hello); status != http.StatusOK || time.Since(start) != 14*time.Second {
			t.Errorf("answered %d, %v after %v", status, err, time.Since(start))
		}
		time.Sleep(threadIdle)
		synctest.Wait()
		if len(s.threads) != 0 {
			t.Errorf("%d threads are taken at the end", len(s.threads))
		}
	})
}

// A connection that is never written to has a thread for five seconds; a reset one has none.
func TestSimThreadsOfTheSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Threads: 1, Reset: 1})
		client := connect(t, s)
		conn, err := s.DialContext(t.Context(), "tcp", "sim:80")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		synctest.Wait()
		start := time.Now()
		for range 2 {
			if _, _, err := sendBody(t.Context(), client, hello); err == nil {
				t.Error("it was answered")
			}
			if got := time.Since(start); got != threadIdle {
				t.Errorf("it had a thread after %v", got)
			}
		}
	})
}

// Over TCP a connection with a thread is reset like any other, and the next one has the thread.
func TestSimThreadsOverTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- New(Options{Threads: 1, Reset: 1}).Serve(ctx, listener) }()
	client := &http.Client{Transport: &http.Transport{}}
	for range 3 {
		w, err := client.Post("http://"+listener.Addr().String()+"/v1/chat/completions", "application/json", strings.NewReader(hello))
		if err == nil {
			w.Body.Close()
		}
		// Windows has an error number of its own for it.
		if err == nil || runtime.GOOS != "windows" && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("it ended with %v", err)
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// Close ends those too that wait for a thread.
func TestSimThreadsClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Threads: 1, Hang: 1})
		failed := make(chan error)
		for _, client := range apart(t, s, 3) {
			go func() {
				_, _, err := sendBody(t.Context(), client, hello)
				failed <- err
			}()
			synctest.Wait()
		}
		s.Close()
		for range 3 {
			if err := <-failed; err == nil {
				t.Error("it was answered")
			}
		}
	})
}
