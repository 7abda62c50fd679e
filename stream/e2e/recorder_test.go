package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// recorder is a provider that keeps what it is asked, byte for byte. What it answers is the number
// of the request, so that each line of output tells which bytes it is the answer to.
type recorder struct {
	URL string // up to /v1

	mu    sync.Mutex
	asked []request
}

// request is what arrived at a recorder.
type request struct {
	path, body string
	header     http.Header
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	r := new(recorder)
	r.URL = serve(t, r.answer)
	return r
}

func (r *recorder) answer(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.mu.Lock()
	n := len(r.asked)
	r.asked = append(r.asked, request{path: strings.TrimPrefix(req.URL.Path, "/v1"), body: string(body), header: req.Header.Clone()})
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	const usage = `"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}`
	form := map[string]string{
		"/v1/chat/completions": `{"model":"m","choices":[{"message":{"role":"assistant","content":"%d"},"finish_reason":"stop"}],` + usage + `}`,
		"/v1/completions":      `{"model":"m","choices":[{"text":"%d","finish_reason":"stop"}],` + usage + `}`,
		"/v1/embeddings":       `{"model":"m","data":[{"embedding":[%d]}],` + usage + `}`,
		"/v1/responses": `{"model":"m","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"%d"}]}],` +
			usage + `}`,
	}[req.URL.Path]
	if form == "" {
		http.NotFound(w, req)
		return
	}
	fmt.Fprintf(w, form, n)
}

// requests returns what arrived so far.
func (r *recorder) requests() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.asked...)
}

// resultLine is what tests read of a line of output.
type resultLine struct {
	ID        json.RawMessage `json:"id"`
	File      string          `json:"file"`
	Line      int             `json:"line"`
	Content   *string         `json:"content"`
	Embedding []float64       `json:"embedding"`
	Error     *struct {
		Type    string `json:"type"`
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// results reads p's stdout, line by line.
func (p *process) results(t *testing.T) []resultLine {
	t.Helper()
	var results []resultLine
	for _, line := range p.lines() {
		var r resultLine
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("stdout has a line that is no result: %v\n%s", err, line)
		}
		results = append(results, r)
	}
	return results
}

// answerTo returns the request that the line is the answer to.
func (r *recorder) answerTo(t *testing.T, line resultLine) request {
	t.Helper()
	n := -1
	switch {
	case line.Content != nil:
		n, _ = strconv.Atoi(*line.Content)
	case len(line.Embedding) == 1:
		n = int(line.Embedding[0])
	}
	all := r.requests()
	if n < 0 || n >= len(all) {
		t.Fatalf("id %s is no answer: %+v", line.ID, line)
	}
	return all[n]
}
