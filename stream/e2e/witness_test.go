package e2e

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"testing"
)

// runHeader names the run that a request is of.
const runHeader = "X-Run"

// witness stands between llmpipe and the simulator, and writes down who asked about what. The
// simulator does not learn from it that a client is gone, and so bills what was in flight.
//
// A request may still be on its way when the run that sent it is dead: the machine gets to it later,
// on a busy day after the next run has ended. It was sent before the death all the same, so a run's
// death is a moment of the witness's time, and no request of the run is of a later one.
type witness struct {
	URL string // up to /v1

	mu       sync.Mutex
	calls    int // about whatever
	asked    int // records that a prompt was asked about
	moment   int // the latest: each asking is one, and each death of a run
	by       map[string][]asking
	inFlight map[string]int // records by run
	failed   map[string]int // answers that are errors, by run
	died     map[string]int // at which moment a run did
}

// asking is one time that a record was asked about.
type asking struct {
	run string
	at  int // the moment, or that of the run's death if it comes after that
}

var promptNumber = regexp.MustCompile(`prompt number (\d+)`)

func newWitness() *witness {
	return &witness{by: make(map[string][]asking), inFlight: make(map[string]int), failed: make(map[string]int), died: make(map[string]int)}
}

// startWitness starts a witness before a simulator. It ends with the test.
func startWitness(t testing.TB, sim *simServer) *witness {
	t.Helper()
	w := newWitness()
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
		w.moment++
		at := w.moment
		if died, dead := w.died[run]; dead {
			at = died
		}
		w.by[string(m[1])] = append(w.by[string(m[1])], asking{run: run, at: at})
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

// dies notes that a run is dead: its process has ended.
func (w *witness) dies(run string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moment++
	w.died[run] = w.moment
}

// now is the latest moment.
func (w *witness) now() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.moment
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

// askings are the times that each record was asked about, in their order.
func (w *witness) askings() map[string][]asking {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[string][]asking, len(w.by))
	for id, askings := range w.by {
		all[id] = slices.SortedStableFunc(slices.Values(askings), func(a, b asking) int { return cmp.Compare(a.at, b.at) })
	}
	return all
}

// TestWitnessOfTheDead has a run die while its request is on its way, and the record recorded for
// another run before that comes: it was sent before. What a living run sends then comes after.
func TestWitnessOfTheDead(t *testing.T) {
	w := newWitness()
	ask := func(run string) { w.done(run, w.note(run, []byte(`{"prompt":"prompt number 7"}`))) }
	w.dies("1")
	ask("2")
	w.dies("2")
	recorded := w.now()
	ask("1")
	ask("2")
	ask("3")
	var runs []string
	for _, a := range w.askings()["7"] {
		runs = append(runs, a.run)
		if after := a.at > recorded; after != (a.run == "3") {
			t.Errorf("run %s asked at %d, and the answer was recorded by %d", a.run, a.at, recorded)
		}
	}
	if want := []string{"1", "2", "2", "3"}; !slices.Equal(runs, want) {
		t.Errorf("runs %v asked in this order, want %v", runs, want)
	}
}
