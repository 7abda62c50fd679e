package sim

import (
	"encoding/json"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Stats counts what a simulated provider was asked and what it answered. GET /stats serves it as
// JSON.
type Stats struct {
	Requests  int64         `json:"requests"`  // all that arrived, except those for /stats
	Answered  int64         `json:"answered"`  // answers made, which a provider would bill
	Abandoned int64         `json:"abandoned"` // the client went away before its answer
	ByStatus  map[int]int64 `json:"by_status"` // resets and hangs have none
	// Faults counts the faults chosen by share: fail, reset, garbage, hang, pressure, empty, truncate,
	// lost. It also counts odd answers, requests cut off because the link was down, and spoilt
	// objects: misfit-fence, -prose, -missing, -type and -cut.
	Faults map[string]int64 `json:"faults"`
	// Models counts what was answered, by the model asked for.
	Models map[string]ModelStats `json:"models"`

	PromptTokens     int64 `json:"prompt_tokens"`
	CompletionTokens int64 `json:"completion_tokens"` // reasoning included
	Billed           int64 `json:"billed_nanos"`      // what Options.Bill charges, in billionths of a dollar; not in batches
	InFlight         int   `json:"in_flight"`
	PeakInFlight     int   `json:"peak_in_flight"`

	Batch BatchStats `json:"batch"` // counted apart from what is answered outside of batches

	First time.Time `json:"first"` // when the first and the last request arrived; zero before any
	Last  time.Time `json:"last"`
}

// ModelStats is what one model answered, which is what its price applies to.
type ModelStats struct {
	Answered         int64 `json:"answered"`
	PromptTokens     int64 `json:"prompt_tokens"`
	CompletionTokens int64 `json:"completion_tokens"` // reasoning included
	ReasoningTokens  int64 `json:"reasoning_tokens"`
	// The prompt tokens that were read from Anthropic's cache, those that were written to it, and of
	// the latter those that are kept for an hour.
	CacheReadTokens  int64 `json:"cache_read_tokens"`
	CacheWriteTokens int64 `json:"cache_write_tokens"`
	CacheHourTokens  int64 `json:"cache_hour_tokens"`
}

// Stats returns the counts up to now. The caller owns the maps.
func (s *Server) Stats() Stats {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	out := s.stats.counts
	out.ByStatus = maps.Clone(out.ByStatus)
	out.Faults = maps.Clone(out.Faults)
	out.Models = maps.Clone(out.Models)
	out.Batch.Ended = maps.Clone(out.Batch.Ended)
	out.Batch.Models = maps.Clone(out.Batch.Models)
	out.InFlight = int(s.inFlight.Load())
	return out
}

func (s *Server) serveStats(w http.ResponseWriter) {
	body, err := json.MarshalIndent(s.Stats(), "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

// stats counts under a lock.
type stats struct {
	mu     sync.Mutex
	counts Stats
}

func (t *stats) arrived(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts.Requests == 0 {
		t.counts.First = now
	}
	t.counts.Requests++
	t.counts.Last = now
}

func (t *stats) peak(inFlight int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.PeakInFlight = max(t.counts.PeakInFlight, inFlight)
}

func (t *stats) replied(status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts.ByStatus == nil {
		t.counts.ByStatus = make(map[int]int64)
	}
	t.counts.ByStatus[status]++
}

func (t *stats) faulted(f faultKind) {
	if f == noFault {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts.Faults == nil {
		t.counts.Faults = make(map[string]int64)
	}
	t.counts.Faults[string(f)]++
}

func (t *stats) abandoned() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Abandoned++
}

func (t *stats) answered(model string, u usage, nanos int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Billed += nanos
	t.counts.Answered++
	t.counts.PromptTokens += int64(u.prompt)
	t.counts.CompletionTokens += int64(u.completion)
	t.counts.Models = bill(t.counts.Models, model, u)
}

// bill adds an answer to the counts of its model. It returns models, or a new map if that is nil.
func bill(models map[string]ModelStats, model string, u usage) map[string]ModelStats {
	if models == nil {
		models = make(map[string]ModelStats)
	}
	m := models[model]
	m.Answered++
	m.PromptTokens += int64(u.prompt)
	m.CompletionTokens += int64(u.completion)
	m.ReasoningTokens += int64(u.reasoning)
	m.CacheReadTokens += int64(u.read)
	m.CacheWriteTokens += int64(u.write)
	m.CacheHourTokens += int64(u.hour)
	models[model] = m
	return models
}
