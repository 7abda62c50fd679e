package sim

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// benchClients is the number of connections in the benchmarks below.
const benchClients = 64

// BenchmarkSim measures the simulator as the other side of a benchmark: no
// latency, no limits, prompts of 1 KB. The client does next to nothing, so that
// its share of the machine is small.
func BenchmarkSim(b *testing.B) {
	b.Run("loopback", func(b *testing.B) {
		s := New(Options{})
		defer s.Close()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		server := &http.Server{Handler: s}
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		benchmarkConnections(b, func() (net.Conn, error) { return net.Dial("tcp", listener.Addr().String()) })
		if err := server.Close(); err != nil {
			b.Fatal(err)
		}
		<-served
	})
	b.Run("memory", func(b *testing.B) {
		s := New(Options{})
		defer s.Close()
		benchmarkConnections(b, func() (net.Conn, error) { return s.DialContext(context.Background(), "tcp", "sim:80") })
	})
}

func benchmarkConnections(b *testing.B, dial func() (net.Conn, error)) {
	body := `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"` + strings.Repeat("word after word ", 64) + `"}]}`
	request := []byte("POST /v1/chat/completions HTTP/1.1\r\nHost: sim\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	start := time.Now()
	var clients sync.WaitGroup
	for range benchClients {
		clients.Go(func() {
			conn, err := dial()
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			r := bufio.NewReader(conn)
			for left.Add(-1) >= 0 {
				if err := askOnce(conn, r, request); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "requests/s")
}

// askOnce sends a request and reads past its answer, which must be a 200.
func askOnce(conn net.Conn, r *bufio.Reader, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
			return fmt.Errorf("answered %q", line)
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			break
		}
	}
	_, err := io.CopyN(io.Discard, r, int64(length))
	return err
}

// BenchmarkSimAnswer measures what an answer costs beside HTTP.
func BenchmarkSimAnswer(b *testing.B) {
	body := []byte(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"` + strings.Repeat("word after word ", 64) + `"}]}`)
	var q request
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		if fault := q.parse(chat, &Options{Seed: 1}, body); fault != nil {
			b.Fatal(fault)
		}
		a := q.answer(&Options{Output: output}, false)
		dst = chat.append(dst[:0], &q, &a)
	}
}
