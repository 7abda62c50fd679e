package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// threads is a server with so many threads as llama.cpp's has them: each serves one connection
// until that is closed, or has been idle for too long, and what has not been accepted waits.
type threads struct {
	net.Listener
	idle  atomic.Int64 // connections that were idle for too long
	asked atomic.Int64
}

func newThreads(t *testing.T, n int) *threads {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &threads{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	for range n {
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				s.serve(conn)
			}
		}()
	}
	return s
}

func (s *threads) serve(conn net.Conn) {
	const longestIdle = 5 * time.Second
	const answer = `{"choices":[{"message":{"content":"fine"},"finish_reason":"stop"}]}`
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(longestIdle))
		req, err := http.ReadRequest(r)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.idle.Add(1)
		}
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		s.asked.Add(1)
		time.Sleep(5 * time.Millisecond)
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
	}
}

// A server whose threads are bound to connections is not left with one that waits for nothing,
// while requests wait for it, at the end of the input.
func TestNoThreadIsHeld(t *testing.T) {
	t.Parallel()
	const records, atOnce = 120, 24
	s := newThreads(t, 4)
	p := llmpipe(t, t.TempDir(), "--base-url", fmt.Sprintf("http://%s/v1", s.Addr()), "-m", "m", "-R", "--no-ledger", "-c", fmt.Sprint(atOnce))
	p.Stdin = strings.NewReader(strings.Repeat("hello\n", records))
	if code := p.exit(t); code != 0 || strings.Count(p.out.String(), `"attempts":1`) != records {
		t.Errorf("exit %d, %s", code, &p.err)
	}
	if s.asked.Load() != records || s.idle.Load() != 0 {
		t.Errorf("%d requests for %d records, %d connections were held for nothing", s.asked.Load(), records, s.idle.Load())
	}
}
