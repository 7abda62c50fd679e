package e2e

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// gateway stands between llmpipe and the simulator, and lets a test decide what becomes of a call.
type gateway struct {
	URL string // up to /v1

	// on, if it is set, is asked about every call before it is passed on; what it returns is done with it. step is the method and the path,
	// with ID in place of the ids of files and batches.
	on func(step string) fate

	mu    sync.Mutex
	steps map[string]int
	files []string // what was uploaded
}

// fate is what becomes of a call.
type fate int

const (
	pass    fate = iota
	drop         // it does not arrive, and the connection breaks
	lose         // it is carried out, and the connection breaks before the answer
	halve        // half of the answer arrives
	refused      // a 404 comes back, and nothing is done
)

func newGateway(t testing.TB, sim *simServer, on func(step string) fate) *gateway {
	t.Helper()
	g := &gateway{on: on, steps: make(map[string]int)}
	g.URL = serve(t, func(w http.ResponseWriter, r *http.Request) { g.serve(t, sim, w, r) })
	return g
}

func (g *gateway) serve(t testing.TB, sim *simServer, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // killed while it sent
	}
	step := stepOf(r)
	g.mu.Lock()
	g.steps[step]++
	if step == "POST /files" {
		g.files = append(g.files, uploadedFile(t, r.Header.Get("Content-Type"), body))
	}
	g.mu.Unlock()
	what := pass
	if g.on != nil {
		what = g.on(step)
	}
	switch what {
	case drop:
		panic(http.ErrAbortHandler)
	case refused:
		http.Error(w, `{"error":{"message":"no such route"}}`, http.StatusNotFound)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, strings.TrimSuffix(sim.URL, "/v1")+r.URL.String(), bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	req.Header = r.Header
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || what == lose {
		panic(http.ErrAbortHandler)
	}
	for k, v := range res.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(res.StatusCode)
	if what == halve {
		_, _ = w.Write(answer[:len(answer)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(answer)
}

// stepOf names a call.
func stepOf(r *http.Request) string {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	if len(parts) > 1 && (parts[0] == "files" || parts[0] == "batches") {
		parts[1] = "ID"
	}
	return r.Method + " /" + strings.Join(parts, "/")
}

// uploadedFile is the file in a form.
func uploadedFile(t testing.TB, contentType string, body []byte) string {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Errorf("an upload as %q: %v", contentType, err)
		return ""
	}
	form, err := multipart.NewReader(bytes.NewReader(body), params["boundary"]).ReadForm(1 << 30)
	if err != nil || len(form.File["file"]) != 1 {
		t.Errorf("an upload that is no form with a file: %v", err)
		return ""
	}
	file, err := form.File["file"][0].Open()
	if err != nil {
		t.Error(err)
		return ""
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		t.Error(err)
	}
	return string(content)
}

// count is how often a step was taken.
func (g *gateway) count(step string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.steps[step]
}

// uploads are the lines of every file that arrived.
func (g *gateway) uploads() [][]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all [][]string
	for _, f := range g.files {
		all = append(all, splitLines(f))
	}
	return all
}

// newFileBackend is a provider of files and batches whose every answer a test decides. It handles one call at a time; body is what was
// uploaded, or posted.
func newFileBackend(t testing.TB, handle func(step, body string, w http.ResponseWriter)) (url string) {
	t.Helper()
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method == http.MethodHead { // which is a look at who is there
			return
		}
		text, step := string(body), stepOf(r)
		if step == "POST /files" {
			text = uploadedFile(t, r.Header.Get("Content-Type"), body)
		}
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		handle(step, text, w)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v1"
}
