//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The benchmarks of this file measure the command as a process, against the simulator as another:
//
//	go test -run '^$' -bench . -benchtime 1x .

// generate writes n records of about 100 bytes to w.
func generate(w io.WriteCloser, n int) {
	b := bufio.NewWriter(w)
	for i := range n {
		fmt.Fprintf(b, `{"id":%d,"prompt":"record number %d of many, all of about the same length","max_tokens":20}`+"\n", i, i)
	}
	_ = b.Flush()
	_ = w.Close()
}

// runMany runs llmpipe over n records, and returns how long it took and its peak memory in bytes.
func runMany(b *testing.B, dir string, n int, args ...string) (took time.Duration, peak int) {
	b.Helper()
	p := llmpipe(b, dir, append([]string{"-m", "m", "-q"}, args...)...)
	in, err := p.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	p.Stdout = nil // thrown away
	start := time.Now()
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	peaked := make(chan int)
	go func() {
		most := 0
		for {
			select {
			case <-done:
				peaked <- most
				return
			case <-time.After(5 * time.Millisecond):
				most = max(most, peakMemory(p.Process.Pid))
			}
		}
	}()
	generate(in, n)
	code := p.wait(b)
	took = time.Since(start)
	close(done)
	if peak = <-peaked; code != 0 {
		b.Fatalf("exit %d: %s", code, &p.err)
	}
	return took, peak
}

// BenchmarkMemory is the peak memory for ten thousand and for a million records, without a ledger and with one, and how fast a million
// recorded results are written again, in megabytes of ledger a second.
func BenchmarkMemory(b *testing.B) {
	sim := startSim(b, "latency=0&output=10")
	for b.Loop() {
		dir := b.TempDir()
		for _, n := range []int{10_000, 1_000_000} {
			_, plain := runMany(b, dir, n, "--base-url", sim.URL, "-c", "64", "--no-ledger")
			b.ReportMetric(float64(plain)/1e6, fmt.Sprintf("MB/%d", n))
			ledger := fmt.Sprint(n, ".ledger.jsonl")
			_, kept := runMany(b, dir, n, "--base-url", sim.URL, "-c", "64", "-l", ledger)
			b.ReportMetric(float64(kept)/1e6, fmt.Sprintf("MB/%d-ledger", n))
			took, _ := runMany(b, dir, n, "--base-url", sim.URL, "-c", "64", "-l", ledger)
			info, err := os.Stat(filepath.Join(dir, ledger))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size())/1e6/took.Seconds(), fmt.Sprintf("MB/s-replay-%d", n))
		}
	}
}

// BenchmarkStart is the time from starting the process to its first request's arrival.
func BenchmarkStart(b *testing.B) {
	arrived := make(chan time.Time, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- time.Now()
		fmt.Fprint(w, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	dir := b.TempDir()
	var sum time.Duration
	n := 0
	for b.Loop() {
		p := llmpipe(b, dir, "--base-url", server.URL, "-m", "m", "--no-ledger")
		p.Stdin = strings.NewReader(`"hello"` + "\n")
		start := time.Now()
		if err := p.Start(); err != nil {
			b.Fatal(err)
		}
		sum += (<-arrived).Sub(start)
		n++
		if code := p.wait(b); code != 0 {
			b.Fatalf("exit %d: %s", code, &p.err)
		}
	}
	b.ReportMetric(float64(sum.Microseconds())/1000/float64(n), "ms-to-first-request")
}
