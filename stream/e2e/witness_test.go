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
// A request may still be on its way when the run that sent it is dead: a busy machine gets to it
// later, even after the next run has ended. It was sent before the death all the same. So a run's
// death is a moment of the witness's time, and none of its requests is of a later one.
type witness struct {
	URL string // up to /v1

	mu     sync.Mutex
	calls  int // about whatever
	moment int // the latest: each time that a record is asked about is one, and each death of a run
	by     map[string][]asking
	runs   map[string]*seenRun
}

// seenRun is what a witness sees of a run.
type seenRun struct {
	requests, records int // that it has asked, about so many
	inFlight          int // records
	failed            int // answers that are errors
	died              int // the moment when it did; 0 before
}

// asking is one time that a record was asked about.
type asking struct {
	run string
	at  int // the moment, or that of the run's death if it comes after that
}

var promptNumber = regexp.MustCompile(`prompt number (\d+)`)

func newWitness() *witness {
	return &witness{by: make(map[string][]asking), runs: make(map[string]*seenRun)}
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
			w.seen(res.Request.Header.Get(runHeader)).failed++
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
	r := w.seen(run)
	for _, m := range promptNumber.FindAllSubmatch(body, -1) {
		w.moment++
		at := w.moment
		if r.died > 0 {
			at = r.died
		}
		w.by[string(m[1])] = append(w.by[string(m[1])], asking{run: run, at: at})
		records++
	}
	if records > 0 {
		r.requests++
	}
	r.records += records
	r.inFlight += records
	return records
}

func (w *witness) done(run string, records int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen(run).inFlight -= records
}

// seen is what is seen of a run. w.mu is held.
func (w *witness) seen(run string) *seenRun {
	r := w.runs[run]
	if r == nil {
		r = new(seenRun)
		w.runs[run] = r
	}
	return r
}

// of returns what was seen of a run by now.
func (w *witness) of(run string) seenRun {
	w.mu.Lock()
	defer w.mu.Unlock()
	return *w.seen(run)
}

// dies notes that a run is dead: its process has ended.
func (w *witness) dies(run string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moment++
	w.seen(run).died = w.moment
}

// counts returns how many calls came by now, and the latest moment.
func (w *witness) counts() (calls, moment int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls, w.moment
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
	_, recorded := w.counts()
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
