package e2e

import (
	"bytes"
	"fmt"
	"io"
	"llmpipe/ledger/price"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// backend is a provider whose every answer a test decides. It serves over TCP from this process.
type backend struct {
	URL   string // up to /v1
	asked atomic.Int64
}

// newBackend serves until the test ends; handle gets the number of each request, counted from 1. A
// handler that waits must select on the request's context, which ends with the test at the latest.
func newBackend(t testing.TB, handle func(n int64, w http.ResponseWriter, r *http.Request)) *backend {
	t.Helper()
	b := &backend{}
	b.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := b.asked.Add(1)
		// Only a server that has read the whole body notices that its client is gone.
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			handle(n, w, r)
		}
	})
	return b
}

// serve serves until the test ends, and returns the base URL.
func serve(t testing.TB, handle http.HandlerFunc) (url string) {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL + "/v1"
}

// forwardTo is a way to the simulator, for a server that stands before it.
func forwardTo(t testing.TB, sim *simServer) *httputil.ReverseProxy {
	t.Helper()
	target, err := url.Parse(strings.TrimSuffix(sim.URL, "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}
}

// answerChat answers as a chat model that has said its piece.
func answerChat(w http.ResponseWriter) {
	answerWith(w, `"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}`)
}

// answerWith is answerChat with other members at the end than the usage.
func answerWith(w http.ResponseWriter, members string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"message":`+
		`{"role":"assistant","content":"said"},"finish_reason":"stop"}],%s}`, members)
}

// answerError answers with an error as OpenAI words it.
func answerError(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"message":"refused by the test","type":"test_error","param":null,"code":%q}}`, code)
}

// holding is a handler that answers nothing until release is closed.
func holding(release <-chan struct{}, then func(w http.ResponseWriter)) func(int64, http.ResponseWriter, *http.Request) {
	return func(_ int64, w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
			then(w)
		case <-r.Context().Done():
		}
	}
}

// transcript is a buffer that may be read while a process writes to it.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func (s *transcript) has(text string) bool { return strings.Contains(s.String(), text) }

// feed writes n records with the ids 1 to n into p's stdin, without end when n is negative, for as
// long as p reads. When they are written stdin is closed, unless keep is set: then it hangs open
// until the test ends.
func feed(t testing.TB, p *process, n int, keep bool) {
	t.Helper()
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		const together = 100 // lines a write
		var lines []byte
		for i := 0; i != n; {
			lines = lines[:0]
			for range together {
				if i == n {
					break
				}
				i++
				lines = fmt.Appendf(lines, `{"id":%d,"prompt":"prompt number %d"}`+"\n", i, i)
			}
			if _, err := in.Write(lines); err != nil {
				return // p has ended
			}
		}
		if !keep {
			_ = in.Close()
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		<-done
	})
}

// summary is the content of --summary's file.
type summary struct {
	In           int            `json:"in"`
	OK           int            `json:"ok"`
	Failed       int            `json:"failed"`
	Skipped      int            `json:"skipped"`
	Unsent       int            `json:"unsent"`
	Retries      int            `json:"retries"`
	Status429    int            `json:"status_429"`
	Cost         *price.Dollars `json:"cost_usd"`
	DowngradedAt int            `json:"downgraded_at"`
}

// readSummary reads summary.json in dir, and checks what holds of every run.
func readSummary(t testing.TB, dir string) summary {
	t.Helper()
	var s summary
	readJSON(t, dir, "summary.json", &s)
	if s.In != s.OK+s.Failed+s.Unsent {
		t.Errorf("records were lost count of: %+v", s)
	}
	return s
}
