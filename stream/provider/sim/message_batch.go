package sim

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// What a Message Batch may hold
// (platform.claude.com/docs/en/build-with-claude/batch-processing).
const (
	messageBatchRequests = 100_000
	messageBatchBytes    = 256_000_000
)

// messageCustomID matches valid custom_ids
// (platform.claude.com/docs/en/api/messages/batches/create).
var messageCustomID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// messageBatchObject is a Message Batch in the API's form.
type messageBatchObject struct {
	ID         string             `json:"id"`
	Type       string             `json:"type"`
	Status     string             `json:"processing_status"`
	Counts     messageBatchCounts `json:"request_counts"`
	EndedAt    *time.Time         `json:"ended_at"`
	CreatedAt  time.Time          `json:"created_at"`
	ExpiresAt  time.Time          `json:"expires_at"`
	ArchivedAt *time.Time         `json:"archived_at"`
	CancelAt   *time.Time         `json:"cancel_initiated_at"`
	ResultsURL *string            `json:"results_url"`
}

// messageBatchCounts counts every request once. All requests count as processing until the batch
// has ended.
type messageBatchCounts struct {
	Processing int `json:"processing"`
	Succeeded  int `json:"succeeded"`
	Errored    int `json:"errored"`
	Canceled   int `json:"canceled"`
	Expired    int `json:"expired"`
}

// messageObject returns a batch in Anthropic's form. The address of its results has the host of r.
func (s *Server) messageObject(r *http.Request, b *batch) messageBatchObject {
	o := s.batches.object(b)
	m := messageBatchObject{ID: o.ID, Type: "message_batch", Status: "in_progress", CreatedAt: time.Unix(o.CreatedAt, 0).UTC(),
		ExpiresAt: time.Unix(o.ExpiresAt, 0).UTC(), CancelAt: rfc3339(o.CancellingAt)}
	n := &m.Counts
	switch {
	case !over(o.Status):
		n.Processing = b.requests
		if o.Status == stateCancelling {
			m.Status = "canceling"
		}
		return m
	case o.Status == stateCancelled:
		n.Canceled = b.requests - o.RequestCounts.Completed - o.RequestCounts.Failed
	default:
		n.Expired = b.requests - o.RequestCounts.Completed - o.RequestCounts.Failed
	}
	n.Succeeded, n.Errored, m.Status = o.RequestCounts.Completed, o.RequestCounts.Failed, "ended"
	for _, at := range []*int64{o.CompletedAt, o.ExpiredAt, o.CancelledAt, o.FailedAt} {
		if at != nil {
			m.EndedAt = rfc3339(at)
		}
	}
	address := "http://" + r.Host + "/v1/messages/batches/" + o.ID + "/results"
	m.ResultsURL = &address
	return m
}

func rfc3339(unix *int64) *time.Time {
	if unix == nil {
		return nil
	}
	at := time.Unix(*unix, 0).UTC()
	return &at
}

// createMessageBatch serves POST /messages/batches. The requests go to disk as they arrive.
func (s *Server) createMessageBatch(w http.ResponseWriter, r *http.Request) {
	file, err := s.files.create()
	if err != nil {
		s.fail(w, errStorage(err))
		return
	}
	requests, refusal := storeMessages(http.MaxBytesReader(w, r.Body, messageBatchBytes), file)
	if err := file.Close(); refusal == nil && err != nil {
		refusal = errStorage(err)
	}
	if refusal != nil {
		s.files.discard(file)
		s.fail(w, refusal)
		return
	}
	now := time.Now()
	window := cmp.Or(s.options.BatchWindow, batchWindow)
	b := &batch{endpoint: messages, messages: true, requests: requests, expires: now.Add(window),
		input: &storedFile{path: file.Name()},
		state: batchObject{ID: s.newID("msgbatch_"), Endpoint: messagesPath, ExpiresAt: now.Add(window).Unix()}}
	b.ctx, b.cancel = context.WithCancelCause(s.batches.life)
	b.enter(stateValidating)
	if !s.begin(b) {
		s.reset(w)
		return
	}
	s.replyObject(w, s.messageObject(r, b))
}

// messagesPath is the path of the endpoint that answers a Message Batch's requests.
const messagesPath = "/v1/messages"

// errEnough ends the reading of requests when one of them is refused.
var errEnough = errors.New("enough")

// storeMessages writes the requests of a body to file, each as a line that a batch can read. It
// returns their number, or what is wrong with them.
func storeMessages(body io.Reader, file *os.File) (n int, refusal *apiError) {
	d := jsontext.NewDecoder(body, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	seen := make(map[string]struct{})
	var line []byte
	element := func() error {
		at := strconv.Itoa(n)
		id, params, err := readMessageRequest(d)
		switch {
		case err != nil:
			return err
		case !messageCustomID.MatchString(id):
			refusal = errValue("requests."+at+".custom_id", "a string of 1 to 64 letters, digits, _ and -")
		case params.Kind() != '{':
			refusal = errMissing("requests." + at + ".params")
		case n == messageBatchRequests:
			refusal = errValue("requests", fmt.Sprintf("at most %d requests", messageBatchRequests))
		}
		if _, ok := seen[id]; ok && refusal == nil {
			refusal = errValue("requests."+at+".custom_id", "an id that no other request has")
		}
		if refusal != nil {
			return errEnough
		}
		seen[id] = struct{}{}
		n++
		if err := params.Compact(); err != nil {
			return err
		}
		line = append(appendQuoted(append(line[:0], `{"custom_id":`...), id), `,"method":"POST","url":"`+messagesPath+`","body":`...)
		line = append(append(line, params...), "}\n"...)
		_, err = file.Write(line)
		return err
	}
	if err := eachMessageRequest(d, element); err != nil && refusal == nil {
		refusal = errJSON(err)
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			refusal = errBody(err)
		}
	}
	if refusal == nil && n == 0 {
		refusal = errMissing("requests")
	}
	return n, refusal
}

// eachMessageRequest calls element at the beginning of each element of `requests`.
func eachMessageRequest(d *jsontext.Decoder, element func() error) error {
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return cmpError(err, "an object is expected")
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if name.String() != "requests" || d.PeekKind() != '[' {
			if err := d.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for d.PeekKind() == '{' {
			if err := element(); err != nil {
				return err
			}
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return cmpError(err, "there is more after the object")
	}
	return nil
}

// cmpError returns err if it is not nil, and otherwise an error that says what is wrong.
func cmpError(err error, wrong string) error {
	if err != nil {
		return err
	}
	return errors.New(wrong)
}

// readMessageRequest reads one request: {"custom_id":…,"params":…}.
func readMessageRequest(d *jsontext.Decoder) (id string, params jsontext.Value, err error) {
	if _, err := d.ReadToken(); err != nil {
		return "", nil, err
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return "", nil, err
		}
		member := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return "", nil, err
		}
		switch {
		case member == "params":
			params = bytes.Clone(value)
		case member == "custom_id" && value.Kind() == '"':
			text, err := jsontext.AppendUnquote(nil, value)
			if err != nil {
				return "", nil, err
			}
			id = string(text)
		}
	}
	_, err = d.ReadToken()
	return id, params, err
}

// findMessageBatch returns the batch that the path names. If there is none, it answers so and
// returns nil.
func (s *Server) findMessageBatch(w http.ResponseWriter, r *http.Request) *batch {
	if b := s.batches.find(r.PathValue("id")); b != nil && b.messages {
		return b
	}
	s.fail(w, errBatch(r.PathValue("id")))
	return nil
}

// showMessageBatch serves GET /messages/batches/{id}.
func (s *Server) showMessageBatch(w http.ResponseWriter, r *http.Request) {
	if b := s.findMessageBatch(w, r); b != nil {
		s.replyObject(w, s.messageObject(r, b))
	}
}

// cancelMessageBatch serves POST /messages/batches/{id}/cancel.
func (s *Server) cancelMessageBatch(w http.ResponseWriter, r *http.Request) {
	b := s.findMessageBatch(w, r)
	switch {
	case b == nil:
	case !s.batches.stop(b):
		s.fail(w, &apiError{status: 409, kind: invalid, message: "The batch has ended, and cannot be canceled."})
	default:
		s.replyObject(w, s.messageObject(r, b))
	}
}

// sendResults serves GET /messages/batches/{id}/results.
func (s *Server) sendResults(w http.ResponseWriter, r *http.Request) {
	b := s.findMessageBatch(w, r)
	if b == nil {
		return
	}
	o := s.batches.object(b)
	if !over(o.Status) || o.OutputFileID == nil {
		s.fail(w, &apiError{status: 404, kind: invalid, message: "The batch has no results yet."})
		return
	}
	s.sendStored(w, *o.OutputFileID, "application/x-jsonl")
}

// messagePage is one page of a list in Anthropic's form.
type messagePage struct {
	Data    []any   `json:"data"`
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
	HasMore bool    `json:"has_more"`
}

// listMessageBatches serves GET /messages/batches, newest first.
func (s *Server) listMessageBatches(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	query.Set("after", query.Get("after_id")) // the queries differ only in this name
	r.URL.RawQuery = query.Encode()
	all := s.batches.list(true)
	page, refusal := pageOf(r, len(all), 20, 1000, func(i int) string { return all[i].state.ID })
	if refusal != nil {
		s.fail(w, refusal)
		return
	}
	out := messagePage{Data: []any{}, FirstID: page.FirstID, LastID: page.LastID, HasMore: page.HasMore}
	for _, i := range page.indexes {
		out.Data = append(out.Data, s.messageObject(r, all[i]))
	}
	s.replyObject(w, out)
}

// writeResult writes the result of the request in w.line to the results of a Message Batch. A
// result has a kind, and a member with the answer in w.answer, unless member is "".
func (w *batchWork) writeResult(kind, member string) {
	w.text = appendQuoted(append(w.text[:0], `{"custom_id":`...), w.line.customID)
	w.text = append(w.text, `,"result":{"type":"`+kind+`"`...)
	if member != "" {
		w.text = append(append(w.text, `,"`+member+`":`...), bytes.TrimSuffix(w.answer, []byte("\n"))...)
	}
	w.text = append(w.text, "}}\n"...)
	w.output.line(w.text)
}
