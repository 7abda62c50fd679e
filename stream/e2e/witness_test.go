package e2e

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"sync"
	"testing"
)

// runHeader names the run that a request is of.
const runHeader = "X-Run"

// witness stands between llmpipe and the simulator, and writes down what each run asked for.
type witness struct {
	URL string // up to /v1

	mu    sync.Mutex
	asked map[string]map[string]int // run -> prompt's number -> how often
	total int
}

var promptNumber = regexp.MustCompile(`prompt number (\d+)`)

// startWitness starts a witness before a simulator. It ends with the test.
func startWitness(t testing.TB, sim *simServer) *witness {
	t.Helper()
	w := &witness{asked: make(map[string]map[string]int)}
	forward := forwardTo(t, sim)
	forward.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {} // a client that was killed is no news
	w.URL = serve(t, func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // killed while it asked
		}
		if m := promptNumber.FindSubmatch(body); m != nil {
			w.note(r.Header.Get(runHeader), string(m[1]))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		forward.ServeHTTP(rw, r)
	})
	return w
}

func (w *witness) note(run, number string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked[run] == nil {
		w.asked[run] = make(map[string]int)
	}
	w.asked[run][number]++
	w.total++
}

// count is how many requests came by now.
func (w *witness) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.total
}

// of returns what a run asked for. The run is over, and so are its requests.
func (w *witness) of(run string) map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[run]
}
