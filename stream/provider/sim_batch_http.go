package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// simBatchEndpoints are those that a batch may ask.
var simBatchEndpoints = map[string]*simEndpoint{
	"/v1/chat/completions": simChat,
	"/v1/responses":        simResponses,
	"/v1/completions":      simCompletions,
	"/v1/embeddings":       simEmbeddings,
}

// What a batch's metadata may hold, in pairs and in characters
// (platform.openai.com/docs/api-reference/batch/create).
const (
	simMetadataPairs = 16
	simMetadataKey   = 64
	simMetadataValue = 512
)

// simBatchRequest is the body of POST /batches.
type simBatchRequest struct {
	InputFileID      string         `json:"input_file_id"`
	Endpoint         string         `json:"endpoint"`
	CompletionWindow string         `json:"completion_window"`
	Metadata         map[string]any `json:"metadata"`
}

// simBatchBody bounds the body of POST /batches: ids and metadata.
const simBatchBody = 1 << 20

// createBatch serves POST /batches. What is wrong with the input file is found
// later, by the batch.
func (s *Sim) createBatch(w http.ResponseWriter, r *http.Request) {
	var asked simBatchRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, simBatchBody)).Decode(&asked); err != nil {
		s.fail(w, simErrJSON(err))
		return
	}
	if refusal := asked.check(); refusal != nil {
		s.fail(w, refusal)
		return
	}
	window := s.options.BatchWindow
	if window == 0 {
		window = simBatchWindow
	}
	now := time.Now()
	b := &simBatch{endpoint: simBatchEndpoints[asked.Endpoint], expires: now.Add(window), state: simBatchObject{
		ID: s.newID("batch_"), Object: "batch", Endpoint: asked.Endpoint, InputFileID: asked.InputFileID,
		CompletionWindow: asked.CompletionWindow, ExpiresAt: now.Add(window).Unix(), Metadata: asked.metadata(),
	}}
	if file := s.files.find(asked.InputFileID); file != nil && !now.Before(file.ready) {
		b.input = file
	}
	b.ctx, b.cancel = context.WithCancelCause(s.batches.life)
	b.enter(simValidating)
	made := b.state
	if !s.batches.add(b) {
		s.reset(w)
		return
	}
	s.stats.batchMade()
	go s.runBatch(b)
	if b.number <= s.options.BatchLost {
		s.reset(w)
		return
	}
	s.replyObject(w, made)
}

// check says what is wrong with a request to make a batch, but for its file.
func (q *simBatchRequest) check() *simError {
	switch {
	case q.InputFileID == "":
		return simErrMissing("input_file_id")
	case q.Endpoint == "":
		return simErrMissing("endpoint")
	case simBatchEndpoints[q.Endpoint] == nil:
		return simErrValue("endpoint", "an endpoint such as /v1/chat/completions")
	case q.CompletionWindow == "":
		return simErrMissing("completion_window")
	case q.CompletionWindow != "24h":
		return simErrValue("completion_window", "'24h'")
	case len(q.Metadata) > simMetadataPairs:
		return simErrValue("metadata", fmt.Sprintf("at most %d pairs", simMetadataPairs))
	}
	for key, value := range q.Metadata {
		text, ok := value.(string)
		switch {
		case utf8.RuneCountInString(key) > simMetadataKey:
			return simErrValue("metadata", "keys of at most "+strconv.Itoa(simMetadataKey)+" characters")
		case !ok:
			return simErrType("metadata."+key, "a string")
		case utf8.RuneCountInString(text) > simMetadataValue:
			return simErrValue("metadata."+key, "at most "+strconv.Itoa(simMetadataValue)+" characters")
		}
	}
	return nil
}

// metadata returns what check has found to be strings.
func (q *simBatchRequest) metadata() map[string]string {
	if q.Metadata == nil {
		return nil
	}
	out := make(map[string]string, len(q.Metadata))
	for key, value := range q.Metadata {
		out[key], _ = value.(string)
	}
	return out
}

// showBatch serves GET /batches/{id}.
func (s *Sim) showBatch(w http.ResponseWriter, r *http.Request) {
	b := s.batches.find(r.PathValue("id"))
	if b == nil {
		s.fail(w, simErrBatch(r.PathValue("id")))
		return
	}
	s.replyObject(w, s.batches.object(b))
}

// listBatches serves GET /batches, newest first.
func (s *Sim) listBatches(w http.ResponseWriter, r *http.Request) {
	all := s.batches.list()
	page, refusal := simPageOf(r, len(all), 20, 100, func(i int) string { return all[i].state.ID })
	if refusal != nil {
		s.fail(w, refusal)
		return
	}
	for _, i := range page.indexes {
		page.Data = append(page.Data, s.batches.object(all[i]))
	}
	s.replyObject(w, page)
}

// cancelBatch serves POST /batches/{id}/cancel.
func (s *Sim) cancelBatch(w http.ResponseWriter, r *http.Request) {
	b := s.batches.find(r.PathValue("id"))
	if b == nil {
		s.fail(w, simErrBatch(r.PathValue("id")))
		return
	}
	if !s.batches.stop(b) {
		s.fail(w, &simError{status: 409, kind: simInvalid,
			message: fmt.Sprintf("Cannot cancel a batch with status '%s'.", s.batches.object(b).Status)})
		return
	}
	s.replyObject(w, s.batches.object(b))
}

func simErrBatch(id string) *simError {
	return &simError{status: 404, kind: simInvalid, param: "id", message: fmt.Sprintf("No batch found with id '%s'.", id)}
}
