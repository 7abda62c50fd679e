package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"sync"
	"testing"
)

// runHeader names the run that a request is of.
const runHeader = "X-Run"

// witness stands between llmpipe and the simulator, and writes down who asked about what. The
// simulator does not learn from it that a client is gone, and so bills what was in flight.
type witness struct {
	URL string // up to /v1

	mu       sync.Mutex
	calls    int // about whatever
	asked    int // records that a prompt was asked about
	by       map[string][]asking
	inFlight map[string]int // records by run
	failed   map[string]int // answers that are errors, by run
}

// asking is one time that a record was asked about.
type asking struct {
	run string
	nth int // of all records that were asked about, from 1
}

var promptNumber = regexp.MustCompile(`prompt number (\d+)`)

// startWitness starts a witness before a simulator. It ends with the test.
func startWitness(t testing.TB, sim *simServer) *witness {
	t.Helper()
	w := &witness{by: make(map[string][]asking), inFlight: make(map[string]int), failed: make(map[string]int)}
	forward := forwardTo(t, sim)
	forward.ModifyResponse = func(res *http.Response) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if res.StatusCode >= http.StatusInternalServerError {
			w.failed[res.Request.Header.Get(runHeader)]++
		}
		return nil
	}
	forward.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {} // a client that was killed is no news
	w.URL = serve(t, func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // killed while it asked
		}
		run, records := r.Header.Get(runHeader), 0
		if step := stepOf(r); step == "POST /chat/completions" || step == "POST /embeddings" {
			records = w.note(run, body)
		} else {
			w.note(run, nil)
		}
		defer w.done(run, records)
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = io.NopCloser(bytes.NewReader(body))
		forward.ServeHTTP(rw, r)
	})
	return w
}

// note counts a call, and the records that its prompts are of.
func (w *witness) note(run string, body []byte) (records int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	for _, m := range promptNumber.FindAllSubmatch(body, -1) {
		w.asked++
		w.by[string(m[1])] = append(w.by[string(m[1])], asking{run: run, nth: w.asked})
		records++
	}
	w.inFlight[run] += records
	return records
}

func (w *witness) done(run string, records int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight[run] -= records
}

// counts returns how many calls came by now, and how many records were asked about.
func (w *witness) counts() (calls, asked int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls, w.asked
}

// flying is how many records of a run are asked about at the moment.
func (w *witness) flying(run string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.inFlight[run]
}

// failures is how many requests of a run were answered with a server's error.
func (w *witness) failures(run string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed[run]
}

// askings are the times that each record was asked about. All is over by then.
func (w *witness) askings() map[string][]asking {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.by
}
