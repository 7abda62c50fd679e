package batchapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// openai is OpenAI's dialect: a file is uploaded, and a batch of it made.
type openai struct{ client *provider.Client }

// openaiBounds are 50,000 requests and 200 MB a file (platform.openai.com/docs/guides/batch), less a
// twentieth, as others may count differently.
var openaiBounds = Bounds{Requests: 50_000, Bytes: 190_000_000}

// Bounds is part of [Driver].
func (d openai) Bounds() Bounds { return openaiBounds }

// AppendRequest is part of [Driver].
func (d openai) AppendRequest(dst []byte, customID string, endpoint record.Endpoint, body []byte) []byte {
	return record.AppendBatchLine(dst, customID, endpoint, body)
}

// Create is part of [Driver].
func (d openai) Create(ctx context.Context, n *NewBatch) (Batch, error) {
	body, err := json.Marshal(struct {
		InputFile string            `json:"input_file_id"`
		Endpoint  string            `json:"endpoint"`
		Window    string            `json:"completion_window"`
		Metadata  map[string]string `json:"metadata,omitempty"`
	}{n.InputFile, n.Endpoint.Path(), cmp.Or(n.Window, "24h"), n.Metadata})
	if err != nil {
		return Batch{}, err
	}
	return d.batch(ctx, "creating a batch", &provider.Request{
		Method: http.MethodPost, Path: "/batches", Body: &provider.Content{Type: "application/json", Head: body}, Once: true,
	})
}

// Batch is part of [Driver].
func (d openai) Batch(ctx context.Context, id string) (Batch, error) {
	return d.batch(ctx, "asking for batch "+id, &provider.Request{Method: http.MethodGet, Path: "/batches/" + url.PathEscape(id)})
}

// Cancel is part of [Driver]. OpenAI answers 409 when the batch has ended, which the table takes for
// Transient.
func (d openai) Cancel(ctx context.Context, id string) (Batch, error) {
	return d.batch(ctx, "cancelling batch "+id, &provider.Request{Method: http.MethodPost, Path: "/batches/" + url.PathEscape(id) + "/cancel"})
}

// batch makes a call whose answer is a batch. doing words it for a message.
func (d openai) batch(ctx context.Context, doing string, r *provider.Request) (Batch, error) {
	var o batchObject
	r.Into, r.Called = &o, "a batch"
	if err := d.client.Call(ctx, r); err != nil {
		return Batch{}, fmt.Errorf("%s: %w", doing, err)
	}
	return d.batchOf(&o), nil
}

// batchPage is how many batches are asked for at once: the most that OpenAI gives.
const batchPage = 100

// Batches is part of [Driver].
func (d openai) Batches(ctx context.Context) iter.Seq2[Batch, error] {
	fetch := func(after string) (p provider.Page[batchObject], err error) {
		query := url.Values{"limit": {strconv.Itoa(batchPage)}}
		if after != "" {
			query.Set("after", after)
		}
		err = d.client.Call(ctx, &provider.Request{
			Method: http.MethodGet, Path: "/batches", Query: query, Into: &p, Called: "a list of batches",
		})
		if err != nil {
			err = fmt.Errorf("listing batches: %w", err)
		}
		return p, err
	}
	return pages(fetch, func(o *batchObject) string { return o.own().ID }, d.batchOf)
}

// Download is part of [Driver]. The name is the file's id.
func (d openai) Download(ctx context.Context, id string, w io.Writer) error {
	err := d.client.Call(ctx, &provider.Request{Method: http.MethodGet, Path: "/files/" + url.PathEscape(id) + "/content", To: w})
	if err != nil {
		return fmt.Errorf("downloading file %s: %w", id, err)
	}
	return nil
}

// Files is part of [Driver].
func (d openai) Files() Files { return openaiFiles{d.client} }

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

// Known implements [provider.Object].
func (o *batchObject) Known() bool {
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

func (d openai) batchOf(o *batchObject) Batch {
	o = o.own()
	b := Batch{
		ID: o.ID, Status: stateOf(o.Status), Endpoint: o.Endpoint, InputFile: o.InputFileID, OutputFile: o.OutputFileID, ErrorFile: o.ErrorFileID,
		Total: o.Counts.Total, Completed: o.Counts.Completed, Failed: o.Counts.Failed, Created: timeOf(o.CreatedAt),
		Expires: timeOf(o.ExpiresAt), EndedAt: timeOf(cmp.Or(o.CompletedAt, o.FailedAt, o.ExpiredAt, o.CancelledAt)), Metadata: o.Metadata,
	}
	b.Lines = b.Completed
	if b.ErrorFile != "" { // some providers have none
		b.Lines += b.Failed
	}
	for _, e := range o.Errors.Data {
		b.Errors = append(b.Errors, Fault{Code: e.Code, Message: d.client.Redacted(e.Message), Param: e.Param, Line: e.Line})
	}
	return b
}
