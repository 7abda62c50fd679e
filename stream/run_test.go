package stream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"llmpipe/ledger"
	"llmpipe/limiter"
	"llmpipe/stream/journal"
	"llmpipe/stream/lane"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// trial is a run within the test's process.
type trial struct {
	*Outcome
	out, said bytes.Buffer
}

func (r *trial) lines() int { return bytes.Count(r.out.Bytes(), []byte("\n")) }

// try runs the filter over input, against what answers at url, and checks what holds of every run:
// no goroutine is left, and every record is counted once.
func try(t *testing.T, url string, input io.Reader, adapt func(*Config)) *trial {
	t.Helper()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := &trial{}
	cfg := Config{
		Stdin: input, Stdout: &r.out, Stderr: &r.said, MaxLine: 1 << 20,
		Provider: provider.Config{BaseURL: url, Connections: 4},
		Pace:     limiter.Config{Concurrency: 4},
		Retries:  6,
	}
	cfg.Decode.Model = "m"
	if adapt != nil {
		adapt(&cfg)
	}
	var err error
	if r.Outcome, err = Run(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if errors.Is(r.Err, errMiscount) {
		t.Error(r.Err)
	}
	if s := r.Summary; s.In != s.OK+s.Failed+s.Unsent {
		t.Errorf("summary %+v", s)
	}
	return r
}

// serve answers every request with status and body, and counts them.
func serve(t *testing.T, status int, body string) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func prompts(n int) io.Reader {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":%d,"prompt":"prompt number %d"}`+"\n", i, i)
	}
	return strings.NewReader(b.String())
}

func TestRunAnswersEverything(t *testing.T) {
	for name, adapt := range map[string]func(*Config){
		"plain":   nil,
		"ordered": func(c *Config) { c.Ordered = true },
		"chunks":  func(c *Config) { c.Chunk = 7 },
		"sample":  func(c *Config) { c.Sample = 100 },
		"failing": func(c *Config) {
			c.Provider.BaseURL = "sim:?latency=1ms&jitter=1&pressure=0.05&retry-after=1ms&truncate=0.1"
		},
		"ledger": func(c *Config) {
			c.Ledger = journal.Config{Path: filepath.Join(t.TempDir(), "ledger.jsonl"), Fsync: ledger.FsyncNever}
		},
	} {
		r := try(t, "sim:?latency=1ms&jitter=1", prompts(100), adapt)
		if r.ExitCode() != ExitOK || r.Summary.OK != 100 || r.lines() != 100 {
			t.Errorf("%s: exit %d, %d lines, %+v", name, r.ExitCode(), r.lines(), r.Summary)
		}
	}
}

// Through every kind of trouble at once, each record gets its answer, once. With one attempt in
// five in vain, the default of seven attempts would not be enough for all of so many.
func TestRunLosesNothingInTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const records = 10_000
		r := try(t, "sim:?fail=0.1&reset=0.05&pressure=0.05&retry-after=1s&garbage=0.02&hang=0.01", prompts(records), func(c *Config) {
			c.Provider.Timeout, c.Provider.Connections = 2*time.Second, 64
			c.Pace.Concurrency, c.Retries = 64, 20
		})
		s := r.Summary
		if r.ExitCode() != ExitOK || s.In != records || s.OK != records || r.lines() != records {
			t.Errorf("exit %d, %d lines, %+v, %v", r.ExitCode(), r.lines(), s, r.Paused)
		}
		if s.Retries < records/10 || s.Status429 < records/50 {
			t.Errorf("too little went wrong: %+v", s)
		}
		seen := map[string]bool{}
		for line := range strings.Lines(r.out.String()) {
			id, _, _ := strings.Cut(line, ",")
			if seen[id] || !strings.Contains(line, `"content":"Simulated answer`) {
				t.Errorf("%s", line)
			}
			seen[id] = true
		}
	})
}

// A router may wrap a refusal in a 200. Such a reply's memory is used again as soon as it is
// committed, so whoever looks at it must have done so before.
func TestRunRefusedInside200(t *testing.T) {
	url, asked := serve(t, http.StatusOK, `{"error":{"code":400,"message":"no such thing"}}`)
	r := try(t, url, prompts(2000), func(c *Config) { c.Pace.Concurrency = 1 })
	if r.ExitCode() != ExitFailed || !strings.Contains(fmt.Sprint(r.Err), "no such thing") {
		t.Errorf("exit %d, %v", r.ExitCode(), r.Err)
	}
	if n := asked.Load(); n > lane.AlikeRefusals+1 {
		t.Errorf("%d requests were sent, want %d and what was in flight", n, lane.AlikeRefusals)
	}
}

// Refused records do not make a run hopeless once one was answered.
func TestRunRefusedAfterAnAnswer(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if asked.Add(1) == 1 {
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer server.Close()
	r := try(t, server.URL, prompts(100), func(c *Config) { c.Pace.Concurrency = 1 })
	if r.ExitCode() != ExitIncomplete || r.Summary.OK != 1 || r.Summary.Failed != 99 {
		t.Errorf("exit %d, %+v", r.ExitCode(), r.Summary)
	}
}

// The wait that a provider asks for may be longer than anybody wants to wait.
func TestRunHintLongerThanPatience(t *testing.T) {
	url, _ := serve(t, http.StatusTooManyRequests, `{"error":{"message":"Please try again in 3h"}}`)
	r := try(t, url, prompts(100), nil)
	if r.ExitCode() != ExitPaused || r.Summary.OK != 0 || r.Summary.Failed != 0 || r.lines() != 0 {
		t.Errorf("exit %d, %+v, %v", r.ExitCode(), r.Summary, r.Paused)
	}
}

// A record's own backoff may be longer than --give-up: that says nothing of the provider.
func TestRunBackoffLongerThanPatience(t *testing.T) {
	var failed sync.Map // the bodies that failed once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if _, again := failed.LoadOrStore(string(body), true); !again {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	r := try(t, server.URL, prompts(5), func(c *Config) { c.Pace.GiveUp = time.Millisecond })
	if r.ExitCode() != ExitOK || r.Summary.OK != 5 {
		t.Errorf("exit %d, %+v, %v", r.ExitCode(), r.Summary, r.Paused)
	}
}

// With --format text an error has no line on stdout: it is said, however quiet the run is.
func TestRunTextSaysErrors(t *testing.T) {
	r := try(t, "sim:", strings.NewReader("no JSON\n"), func(c *Config) { c.Format, c.Quiet = record.FormatText, true })
	if r.lines() != 0 || !strings.Contains(r.said.String(), "error: line 1: ") {
		t.Errorf("stdout %q, stderr %q", r.out.String(), r.said.String())
	}
}

// Nobody takes a breather who has nothing more to do.
func TestRunNoDelayAfterTheLastChunk(t *testing.T) {
	r := try(t, "sim:?latency=1ms", prompts(4), func(c *Config) { c.Chunk, c.ChunkDelay = 4, 24*time.Hour })
	if r.ExitCode() != ExitOK || r.Summary.OK != 4 {
		t.Errorf("exit %d, %+v", r.ExitCode(), r.Summary)
	}
}
