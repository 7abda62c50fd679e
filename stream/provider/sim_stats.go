package provider

import (
	"encoding/json"
	"maps"
	"net/http"
	"sync"
	"time"
)

// SimStats is what a simulated provider was asked and what it said. GET /stats
// serves it as JSON.
type SimStats struct {
	Requests  int64         `json:"requests"`  // all that arrived, but for /stats
	Answered  int64         `json:"answered"`  // whole answers sent: what a provider would bill
	Abandoned int64         `json:"abandoned"` // the client went away before its answer
	ByStatus  map[int]int64 `json:"by_status"` // resets and hangs have none
	// Faults counts those chosen by share: fail, reset, garbage, hang, pressure, empty, truncate.
	Faults map[string]int64 `json:"faults"`
	// Models is what was answered, by the model asked for.
	Models map[string]SimModelStats `json:"models"`

	PromptTokens     int64 `json:"prompt_tokens"`
	CompletionTokens int64 `json:"completion_tokens"` // reasoning included
	InFlight         int   `json:"in_flight"`
	PeakInFlight     int   `json:"peak_in_flight"`

	Batch SimBatchStats `json:"batch"` // apart from all that is answered outside of one

	First time.Time `json:"first"` // when the first and the last request arrived; zero before any
	Last  time.Time `json:"last"`
}

// SimModelStats is what one model answered, which is what its price applies to.
type SimModelStats struct {
	Answered         int64 `json:"answered"`
	PromptTokens     int64 `json:"prompt_tokens"`
	CompletionTokens int64 `json:"completion_tokens"` // reasoning included
	ReasoningTokens  int64 `json:"reasoning_tokens"`
}

// Stats returns the counts up to now. The maps are the caller's.
func (s *Sim) Stats() SimStats {
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

func (s *Sim) serveStats(w http.ResponseWriter) {
	body, err := json.MarshalIndent(s.Stats(), "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

// simStats counts under a lock.
type simStats struct {
	mu     sync.Mutex
	counts SimStats
}

func (t *simStats) arrived(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts.Requests == 0 {
		t.counts.First = now
	}
	t.counts.Requests++
	t.counts.Last = now
}

func (t *simStats) peak(inFlight int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.PeakInFlight = max(t.counts.PeakInFlight, inFlight)
}

func (t *simStats) replied(status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts.ByStatus == nil {
		t.counts.ByStatus = make(map[int]int64)
	}
	t.counts.ByStatus[status]++
}

func (t *simStats) faulted(f simFault) {
	if f == simNoFault {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts.Faults == nil {
		t.counts.Faults = make(map[string]int64)
	}
	t.counts.Faults[string(f)]++
}

func (t *simStats) abandoned() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Abandoned++
}

func (t *simStats) answered(model string, u simUsage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Answered++
	t.counts.PromptTokens += int64(u.prompt)
	t.counts.CompletionTokens += int64(u.completion)
	t.counts.Models = bill(t.counts.Models, model, u)
}

// bill adds an answer to what a model answered, in a map that may be nil.
func bill(models map[string]SimModelStats, model string, u simUsage) map[string]SimModelStats {
	if models == nil {
		models = make(map[string]SimModelStats)
	}
	m := models[model]
	m.Answered++
	m.PromptTokens += int64(u.prompt)
	m.CompletionTokens += int64(u.completion)
	m.ReasoningTokens += int64(u.reasoning)
	models[model] = m
	return models
}
