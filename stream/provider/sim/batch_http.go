package sim

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// batchEndpoints are the endpoints that a batch may use.
var batchEndpoints = map[string]*endpoint{
	"/v1/chat/completions": chat,
	"/v1/responses":        responses,
	"/v1/completions":      completions,
	"/v1/embeddings":       embeddings,
}

// What a batch's metadata may hold, in pairs and in characters
// (platform.openai.com/docs/api-reference/batch/create).
const (
	metadataPairs = 16
	metadataKey   = 64
	metadataValue = 512
)

// batchRequest is the body of POST /batches.
type batchRequest struct {
	InputFileID      string         `json:"input_file_id"`
	Endpoint         string         `json:"endpoint"`
	CompletionWindow string         `json:"completion_window"`
	Metadata         map[string]any `json:"metadata"`

	// The fields below are Mistral's.

	InputFiles []string `json:"input_files"`
	Model      string   `json:"model"`
	Hours      int      `json:"timeout_hours"`
}

// batchBody bounds the body of POST /batches: ids and metadata.
const batchBody = 1 << 20

// createBatch serves POST /batches. Faults of the input file are found later, when the batch runs;
// only Azure's dialect refuses a file that is not ready.
func (s *Server) createBatch(w http.ResponseWriter, r *http.Request) {
	asked, err := s.readBatchRequest(w, r)
	if err != nil {
		s.fail(w, errJSON(err))
		return
	}
	if refusal := asked.check(s.endpointOf(asked.Endpoint)); refusal != nil {
		s.fail(w, refusal)
		return
	}
	window := cmp.Or(s.options.BatchWindow, batchWindow)
	now := time.Now()
	b := &batch{endpoint: s.endpointOf(asked.Endpoint), expires: now.Add(window), state: batchObject{
		ID: s.newID("batch_"), Object: "batch", Endpoint: asked.Endpoint, InputFileID: asked.InputFileID,
		CompletionWindow: asked.CompletionWindow, ExpiresAt: now.Add(window).Unix(), Metadata: asked.metadata(),
	}}
	if file := s.files.find(asked.InputFileID); file != nil && !now.Before(file.ready) {
		b.input = file
	}
	if b.input == nil && s.speaks("azure") {
		s.fail(w, &apiError{status: 400, kind: invalid, code: "invalidPayload",
			message: "The file is not in a valid state: it must be processed."})
		return
	}
	b.ctx, b.cancel = context.WithCancelCause(s.batches.life)
	b.enter(stateValidating)
	made := b.state
	if !s.begin(b) {
		s.reset(w)
		return
	}
	s.replyObject(w, s.wrapped(made))
}

// begin starts b and reports whether its client gets an answer.
func (s *Server) begin(b *batch) (told bool) {
	if !s.batches.add(b) {
		return false
	}
	s.stats.batchMade()
	s.addForeign(b)
	go s.runBatch(b)
	return b.number > s.options.BatchLost
}

// check says what is wrong with a request to create a batch. It does not look at the input file.
func (q *batchRequest) check(e *endpoint) *apiError {
	switch {
	case q.InputFileID == "":
		return errMissing("input_file_id")
	case q.Endpoint == "":
		return errMissing("endpoint")
	case e == nil:
		return errValue("endpoint", "an endpoint such as /v1/chat/completions")
	case q.CompletionWindow == "":
		return errMissing("completion_window")
	case q.CompletionWindow != "24h":
		return errValue("completion_window", "'24h'")
	case len(q.Metadata) > metadataPairs:
		return errValue("metadata", fmt.Sprintf("at most %d pairs", metadataPairs))
	}
	for key, value := range q.Metadata {
		text, ok := value.(string)
		switch {
		case utf8.RuneCountInString(key) > metadataKey:
			return errValue("metadata", "keys of at most "+strconv.Itoa(metadataKey)+" characters")
		case !ok:
			return errType("metadata."+key, "a string")
		case utf8.RuneCountInString(text) > metadataValue:
			return errValue("metadata."+key, "at most "+strconv.Itoa(metadataValue)+" characters")
		}
	}
	return nil
}

// metadata returns the metadata, whose values check has found to be strings.
func (q *batchRequest) metadata() map[string]string {
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
func (s *Server) showBatch(w http.ResponseWriter, r *http.Request) {
	b := s.batches.find(r.PathValue("id"))
	if b == nil {
		s.fail(w, errBatch(r.PathValue("id")))
		return
	}
	s.replyObject(w, s.showAs(s.batches.object(b)))
}

// listBatches serves GET /batches, newest first.
func (s *Server) listBatches(w http.ResponseWriter, r *http.Request) {
	all := s.batches.list(false)
	s.listAs(w, r, len(all), 20, 100, func(i int) string { return all[i].state.ID }, func(i int) any {
		return s.showAs(s.batches.object(all[i]))
	})
}

// cancelBatch serves POST /batches/{id}/cancel.
func (s *Server) cancelBatch(w http.ResponseWriter, r *http.Request) {
	b := s.batches.find(r.PathValue("id"))
	if b == nil {
		s.fail(w, errBatch(r.PathValue("id")))
		return
	}
	if !s.batches.stop(b) {
		s.fail(w, &apiError{status: 409, kind: invalid,
			message: fmt.Sprintf("Cannot cancel a batch with status '%s'.", s.batches.object(b).Status)})
		return
	}
	s.replyObject(w, s.showAs(s.batches.object(b)))
}

func errBatch(id string) *apiError {
	return &apiError{status: 404, kind: invalid, param: "id", message: fmt.Sprintf("No batch found with id '%s'.", id)}
}
