package provider

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"llmpipe/stream/record"
)

// Batch is what a provider says of a batch. What it does not say is zero: a file that is null or ""
// there is "".
type Batch struct {
	ID string
	// Status is validating, in_progress, finalizing or cancelling, and in the end completed,
	// failed, expired or cancelled, by whatever names the provider has for them; a state that is
	// none of these is as the provider writes it, in lower case.
	Status   string
	Endpoint string // the path, as the provider writes it
	// InputFile, OutputFile and ErrorFile are ids. A batch may have either of the last two, both,
	// or none, in any state that it ends in.
	InputFile, OutputFile, ErrorFile string
	// Total, Completed and Failed count requests. One that nobody got to before the end is only in
	// the Total.
	Total, Completed, Failed int64
	// Created is when it was made, Expires the end of its window, and EndedAt when it came to its end.
	Created, Expires, EndedAt time.Time
	Metadata                  map[string]string
	// Errors are why the batch failed as a whole; those of single requests are in the error file.
	Errors []BatchFault
}

// BatchFault is one reason why a batch failed.
type BatchFault struct {
	Code, Message, Param string
	Line                 int64 // of the input file, from 1; 0 when it is about the whole
}

// Ended tells whether the batch has come to its end: nothing of it will change.
func (b *Batch) Ended() bool {
	switch b.Status {
	case "completed", "failed", "expired", "cancelled":
		return true
	}
	return false
}

// Known tells whether the state is one that this program knows.
func (b *Batch) Known() bool {
	switch b.Status {
	case "validating", "in_progress", "finalizing", "cancelling":
		return true
	}
	return b.Ended()
}

// states are the names of a batch's states, in lower case, that are not OpenAI's, by provider.
var states = map[string]string{
	// Mistral: docs.mistral.ai/capabilities/batch
	"queued": "validating", "running": "in_progress", "success": "completed", "timeout_exceeded": "expired",
	"cancellation_requested": "cancelling",
	// Gemini: ai.google.dev/gemini-api/docs/batch-api, behind job_state_ or batch_state_
	"pending": "validating", "succeeded": "completed", "canceled": "cancelled",
	// Together, Novita, DigitalOcean and others: OpenAI's in capitals, and these
	"processing": "in_progress", "canceling": "cancelling", "done": "completed", "error": "failed",
}

// stateOf is a state as OpenAI calls it.
func stateOf(said string) string {
	name := strings.ReplaceAll(strings.ToLower(said), "-", "_")
	name = strings.TrimPrefix(strings.TrimPrefix(name, "job_state_"), "batch_state_")
	return cmp.Or(states[name], name)
}

// batchObject is a batch as the API shows it.
type batchObject struct {
	ID           string            `json:"id"`
	BatchID      string            `json:"batch_id"` // DigitalOcean's
	Job          *batchObject      `json:"job"`      // what Together wraps a new batch in
	Status       string            `json:"status"`
	Endpoint     string            `json:"endpoint"`
	InputFileID  string            `json:"input_file_id"`
	OutputFileID string            `json:"output_file_id"`
	ErrorFileID  string            `json:"error_file_id"`
	CreatedAt    int64             `json:"created_at"`
	ExpiresAt    int64             `json:"expires_at"`
	CompletedAt  int64             `json:"completed_at"`
	FailedAt     int64             `json:"failed_at"`
	ExpiredAt    int64             `json:"expired_at"`
	CancelledAt  int64             `json:"cancelled_at"`
	Metadata     map[string]string `json:"metadata"`
	Counts       struct {
		Total     int64 `json:"total"`
		Completed int64 `json:"completed"`
		Failed    int64 `json:"failed"`
	} `json:"request_counts"`
	Errors struct {
		Data []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Param   string `json:"param"`
			Line    int64  `json:"line"`
		} `json:"data"`
	} `json:"errors"`
}

func (o *batchObject) known() bool {
	own := o.own()
	return own.ID != "" && own.Status != ""
}

// own is the batch itself, which some providers wrap, or name otherwise.
func (o *batchObject) own() *batchObject {
	if o.Job != nil && o.ID == "" {
		o = o.Job
	}
	o.ID = cmp.Or(o.ID, o.BatchID)
	return o
}

func (c *Client) batchOf(o *batchObject) Batch {
	o = o.own()
	b := Batch{
		ID: o.ID, Status: stateOf(o.Status), Endpoint: o.Endpoint, InputFile: o.InputFileID, OutputFile: o.OutputFileID, ErrorFile: o.ErrorFileID,
		Total: o.Counts.Total, Completed: o.Counts.Completed, Failed: o.Counts.Failed, Created: timeOf(o.CreatedAt),
		Expires: timeOf(o.ExpiresAt), EndedAt: timeOf(cmp.Or(o.CompletedAt, o.FailedAt, o.ExpiredAt, o.CancelledAt)), Metadata: o.Metadata,
	}
	for _, e := range o.Errors.Data {
		b.Errors = append(b.Errors, BatchFault{Code: e.Code, Message: c.redact.Replace(e.Message), Param: e.Param, Line: e.Line})
	}
	return b
}

// NewBatch is a batch to be made.
type NewBatch struct {
	InputFile string // the id of a file that was uploaded
	Endpoint  record.Endpoint
	Window    string // how long it may take; "" stands for 24h, the only one that OpenAI offers
	// Metadata may hold 16 pairs, of 64 and 512 characters at most
	// (platform.openai.com/docs/api-reference/batch/create).
	Metadata map[string]string
}

// CreateBatch makes a batch. It sends one request and never the same again, for there is no key by
// which the provider would know it: of two requests each makes a batch, and both are billed. Errors
// are a *CallError; where it says Sent there may be a batch, and Batches shows whether there is.
func (c *Client) CreateBatch(ctx context.Context, n NewBatch) (Batch, error) {
	request := openai.CreateBatchRequest{
		InputFileID: n.InputFile, Endpoint: openai.BatchEndpoint(n.Endpoint.Path()), CompletionWindow: n.Window,
	}
	for key, value := range n.Metadata {
		if request.Metadata == nil {
			request.Metadata = make(map[string]any, len(n.Metadata))
		}
		request.Metadata[key] = value
	}
	return c.batch(ctx, "creating a batch", &call{once: true}, func(ctx context.Context) error {
		_, err := c.api.CreateBatch(ctx, request)
		return err
	})
}

// Batch asks how a batch is doing. Errors are a *CallError.
func (c *Client) Batch(ctx context.Context, id string) (Batch, error) {
	return c.batch(ctx, "asking for batch "+id, &call{}, func(ctx context.Context) error {
		_, err := c.api.RetrieveBatch(ctx, url.PathEscape(id))
		return err
	})
}

// CancelBatch asks for the end of a batch, which comes later; what is answered until then is
// billed. Errors are a *CallError. OpenAI answers 409 when the batch has ended, which the table
// takes for Transient.
func (c *Client) CancelBatch(ctx context.Context, id string) (Batch, error) {
	return c.batch(ctx, "cancelling batch "+id, &call{}, func(ctx context.Context) error {
		_, err := c.api.CancelBatch(ctx, url.PathEscape(id))
		return err
	})
}

// batch makes a call whose answer is a batch. doing words it for a message.
func (c *Client) batch(ctx context.Context, doing string, k *call, send func(context.Context) error) (Batch, error) {
	err := c.run(ctx, k, send)
	var o batchObject
	if err == nil {
		err = c.read(k, &o, "a batch")
	}
	if err != nil {
		return Batch{}, fmt.Errorf("%s: %w", doing, err)
	}
	return c.batchOf(&o), nil
}

// batchPage is how many batches are asked for at once: the most that OpenAI gives.
const batchPage = 100

// Batches lists all batches, newest first, page after page. An error, mostly a *CallError, is the
// last that it yields.
func (c *Client) Batches(ctx context.Context) iter.Seq2[Batch, error] {
	fetch := func(after string) (p page[batchObject], err error) {
		var cursor *string
		if after != "" {
			cursor = &after
		}
		limit := batchPage
		k := &call{}
		err = c.run(ctx, k, func(ctx context.Context) error {
			_, err := c.api.ListBatch(ctx, cursor, &limit)
			return err
		})
		if err == nil {
			err = c.read(k, &p, "a list of batches")
		}
		if err != nil {
			err = fmt.Errorf("listing batches: %w", err)
		}
		return p, err
	}
	return pages(fetch, func(o *batchObject) string { return o.own().ID }, c.batchOf)
}
