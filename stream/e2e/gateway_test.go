package e2e

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// gateway stands between llmpipe and the simulator, and lets a test decide what becomes of a call.
type gateway struct {
	URL string // up to /v1

	// on, if it is set, is asked about every call before it is passed on; what it returns is done
	// with it. step is the method and the path, with ID in place of the ids of files and batches.
	on   func(step string) fate
	mute bool   // nobody hears that there is a simulator
	none string // an empty list, as the provider has it

	steps
	mu    sync.Mutex
	files []string // what was uploaded
}

// fate is what becomes of a call.
type fate int

const (
	pass       fate = iota
	drop            // it does not arrive, and the connection breaks
	lose            // it is carried out, and the connection breaks before the answer
	made502         // it is carried out, and a gateway answers that it had no answer
	made504         // the same, and it answers that there was none in time
	madeEmpty       // it is carried out, and the answer is empty
	madeSilent      // it is carried out, and no answer comes
	lost502         // it does not arrive, and a gateway answers that it had no answer
	lost504         // the same, and it answers that there was none in time
	failed          // it does not arrive, and a 500 comes back
	unlisted        // an empty list comes back
	halve           // half of the answer arrives
	refused         // a 404 comes back, and nothing is done
)

func newGateway(t testing.TB, sim *simServer, on func(step string) fate) *gateway {
	t.Helper()
	g := &gateway{on: on, none: `{"object":"list","data":[],"has_more":false}`}
	g.URL = serve(t, func(w http.ResponseWriter, r *http.Request) { g.serve(t, sim, w, r) })
	return g
}

func (g *gateway) serve(t testing.TB, sim *simServer, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // killed while it sent
	}
	step := stepOf(r)
	g.take(step)
	if step == "POST /files" && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		_, content := uploadedFile(t, r, body)
		g.mu.Lock()
		g.files = append(g.files, content)
		g.mu.Unlock()
	}
	what := pass
	if g.on != nil {
		what = g.on(step)
	}
	switch what {
	case drop:
		panic(http.ErrAbortHandler)
	case lost502:
		http.Error(w, "<html>502 Bad Gateway</html>", http.StatusBadGateway)
		return
	case lost504:
		http.Error(w, "<html>504 Gateway Time-out</html>", http.StatusGatewayTimeout)
		return
	case failed:
		http.Error(w, `{"error":{"message":"The server had an error","type":"server_error"}}`, http.StatusInternalServerError)
		return
	case unlisted:
		_, _ = io.WriteString(w, g.none)
		return
	case refused:
		http.Error(w, `{"error":{"message":"no such route"}}`, http.StatusNotFound)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, strings.TrimSuffix(sim.URL, "/v1")+r.URL.String(), bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	req.Header, req.Host = r.Header, r.Host
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || what == lose {
		panic(http.ErrAbortHandler)
	}
	switch what {
	case made502:
		http.Error(w, "<html>502 Bad Gateway</html>", http.StatusBadGateway)
		return
	case made504:
		http.Error(w, "<html>504 Gateway Time-out</html>", http.StatusGatewayTimeout)
		return
	case madeEmpty:
		return
	case madeSilent:
		<-r.Context().Done()
		return
	}
	for k, v := range res.Header {
		w.Header()[k] = v
	}
	if g.mute {
		w.Header().Del("Llmpipe-Simulated")
	}
	w.WriteHeader(res.StatusCode)
	if what == halve {
		_, _ = w.Write(answer[:len(answer)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(answer)
}

// steps counts the calls by their names.
type steps struct {
	mu    sync.Mutex
	taken map[string]int
}

// take counts a call, and says the how manieth of its name it is, from 1.
func (s *steps) take(step string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken == nil {
		s.taken = make(map[string]int)
	}
	s.taken[step]++
	return s.taken[step]
}

// count is how often a step was taken.
func (s *steps) count(step string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken[step]
}

// ownPaths are what the dialects have for OpenAI's paths.
var ownPaths = strings.NewReplacer("/batch/jobs", "/batches", "/files/upload", "/files", "/upload/v1beta/files", "/files",
	"/download/v1beta/", "/", "/v1beta/", "/", ":download", "/content")

// stepOf names a call.
func stepOf(r *http.Request) string {
	if r.Method == http.MethodGet && r.URL.RawQuery == "limit=1" {
		return "LOOK /batches" // whether there are any
	}
	path := strings.TrimPrefix(ownPaths.Replace(r.URL.Path), "/v1")
	if r.Header.Get("X-Goog-Upload-Command") == "start" {
		path += "/begin"
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	id := 1
	if parts[0] == "messages" {
		id = 2
	}
	if len(parts) > id && (parts[id-1] == "files" || parts[id-1] == "batches") {
		parts[id] = "ID"
	}
	return r.Method + " /" + strings.Join(parts, "/")
}

// uploadedFile is the file in the form that is a call's body.
func uploadedFile(t testing.TB, r *http.Request, body []byte) (name, content string) {
	r.Body = io.NopCloser(bytes.NewReader(body))
	file, header, err := r.FormFile("file")
	if err != nil {
		t.Errorf("an upload that is no form with a file: %v", err)
		return "", ""
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		t.Error(err)
	}
	return header.Filename, string(text)
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

// created is how many batches were asked for.
func (g *gateway) created() int { return g.count("POST /batches") + g.count("POST /messages/batches") }
