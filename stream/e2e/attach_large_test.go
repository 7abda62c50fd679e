package e2e

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestManyLargeFiles attaches 200 pictures of 5 MB, at once and in batches: what of them is in
// memory is bounded, and each arrives as it is.
func TestManyLargeFiles(t *testing.T) {
	needsLong(t, "some ten seconds, and 2 GB of disk")
	if race {
		t.Skip("shadow memory says nothing")
	}
	const n, size, most = 200, 5_000_000, 400_000_000
	for _, mode := range []string{"realtime", "batch"} {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			records := writePhotos(t, dir, n, size)
			got := &streamed{seen: map[string]int{}}
			url := startSim(t, "latency=0s&batch-latency=100ms").URL
			if mode == "realtime" {
				url = serve(t, func(w http.ResponseWriter, r *http.Request) {
					got.take(t, r.Body)
					answerChat(w)
				})
			} else {
				url = got.before(t, url)
			}
			p := llmpipe(t, dir, "--base-url", url, "-m", "gpt-4o", "-p", "Describe it.", "--attach", "image", "--mode", mode, "-c", "32")
			p.Stdin = strings.NewReader(records)
			p.starts(t)
			peak := 0
			ended := make(chan int, 1)
			go func() { ended <- p.wait(t) }()
			code := -1
			for code < 0 {
				select {
				case code = <-ended:
				case <-time.After(10 * time.Millisecond):
					peak = max(peak, peakMemory(p.Process.Pid))
				}
			}
			if code != 0 || len(p.lines()) != n || peak > most {
				t.Errorf("exit %d, %d lines, %d MiB of memory: %s", code, len(p.lines()), peak>>20, &p.err)
			}
			for i := range n {
				if sum := sumOf(gifOf(i, size)); got.seen[sum] != 1 {
					t.Errorf("photo %d arrived %d times", i, got.seen[sum])
				}
			}
			t.Logf("at most %d MiB of memory", peak>>20)
		})
	}
}

// streamed counts the files that a provider is sent, by their hashes, and holds none of them.
type streamed struct {
	mu   sync.Mutex
	seen map[string]int
}

// take reads what is sent, and counts the files in it.
func (s *streamed) take(t *testing.T, body io.Reader) {
	r := bufio.NewReaderSize(body, 64<<10)
	const mark = ";base64,"
	for matched := 0; ; {
		c, err := r.ReadByte()
		if err != nil {
			return
		}
		if c != mark[matched] {
			matched = 0
		}
		if c == mark[matched] {
			matched++
		}
		if matched < len(mark) {
			continue
		}
		matched = 0
		sum := sha256.New()
		if _, err := io.Copy(sum, base64.NewDecoder(base64.StdEncoding, untilQuote{r})); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.seen[fmt.Sprintf("%x", sum.Sum(nil))]++
		s.mu.Unlock()
	}
}

// untilQuote ends before a quotation mark.
type untilQuote struct{ *bufio.Reader }

func (u untilQuote) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c, err := u.ReadByte()
		if err != nil {
			return n, err
		}
		if c == '"' {
			if err := u.UnreadByte(); err != nil {
				return n, err
			}
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		}
		p[n] = c
		n++
	}
	return n, nil
}

// before stands before a simulator, and takes what is uploaded there.
func (s *streamed) before(t *testing.T, url string) string {
	t.Helper()
	forward := forwardTo(t, &simServer{URL: url})
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/files") {
			in, out := io.Pipe()
			taken := make(chan struct{})
			go func() {
				defer close(taken)
				s.take(t, in)
				_, _ = io.Copy(io.Discard, in)
			}()
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r.Body, out), r.Body}
			forward.ServeHTTP(w, r)
			_ = out.Close()
			<-taken
			return
		}
		forward.ServeHTTP(w, r)
	})
}

// TestResumeOpensNoFile goes over very many records whose answers are recorded, or whose batches
// are under way, and opens none of their files, as strace tells.
func TestResumeOpensNoFile(t *testing.T) {
	needsLong(t, "some ten seconds")
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("no strace here")
	}
	const n = 10_000
	for _, mode := range []string{"realtime", "batch"} {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			records := writePhotos(t, dir, n, 100)
			sim := startSim(t, "latency=0s&batch-latency=100ms")
			args := []string{"--base-url", sim.URL, "-m", "gpt-4o", "-p", "Describe it.", "--attach", "image", "--mode", mode, "-l", "job.jsonl"}
			run := func(want int, more ...string) *process {
				p := llmpipe(t, dir, append(args, more...)...)
				p.Stdin = strings.NewReader(records)
				p.exits(t, want)
				return p
			}
			traced := func(what string) {
				t.Helper()
				p := llmpipe(t, dir, args...)
				p.Args = append([]string{strace, "-f", "-e", "trace=open,openat,openat2", "-o", "trace", p.Path}, p.Args[1:]...)
				p.Path = strace
				p.Stdin = strings.NewReader(records)
				p.exits(t, 0)
				opened := strings.Count(readFile(t, dir, "trace"), ".gif")
				if len(p.lines()) != n || opened != 0 || !strings.Contains(readFile(t, dir, "trace"), "job.jsonl") {
					t.Errorf("%s: %d lines, and %d photos were opened", what, len(p.lines()), opened)
				}
			}
			if mode == "batch" {
				run(75, "--detach")
				traced("collecting")
			} else {
				run(0)
			}
			traced("again")
			if asked := sim.stats(t).Answered + sim.batches(t).Answered; asked != n {
				t.Errorf("%d requests", asked)
			}
		})
	}
}
