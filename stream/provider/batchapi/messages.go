package batchapi

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// messages is Anthropic's dialect, Message Batches. The call that creates a batch carries its
// requests. A batch has no label and gives all its answers in one list
// (platform.claude.com/docs/en/build-with-claude/batch-processing).
type messages struct{ client *provider.Client }

// messagesBounds allows half of the 100,000 requests that a batch may have, and 256 MB less 5 %.
// What is known about the requests of one batch is in memory while they are written, and again
// while their answers are delivered; hence the half.
var messagesBounds = Bounds{Requests: 50_000, Bytes: 243_200_000}

// messagesPath is the path of batches below the base URL.
const messagesPath = "/messages/batches"

// Bounds is part of [Driver].
func (d messages) Bounds() Bounds { return messagesBounds }

// Check is part of [Driver].
func (d messages) Check(record.Endpoint, string) error { return nil }

// afterElement ends each line of a shard's file. The file holds what goes between the brackets of
// `requests`, and one comma too many at the end.
const afterElement = ",\n"

// AppendHead is part of [Driver].
func (d messages) AppendHead(dst []byte, customID string, _ record.Endpoint) []byte {
	return record.AppendBatchParamsHead(dst, customID)
}

// Tail is part of [Driver].
func (d messages) Tail() string { return "}" + afterElement }

// Create is part of [Driver].
func (d messages) Create(ctx context.Context, n *NewBatch) (Batch, error) {
	body := &provider.Content{
		Type: "application/json", Head: []byte(`{"requests":[`), File: n.Content, Size: n.Size - int64(len(afterElement)), Tail: []byte("]}"),
	}
	return d.batch(ctx, "creating a batch", &provider.Request{Method: http.MethodPost, Path: messagesPath, Body: body, Once: true})
}

// Batch is part of [Driver].
func (d messages) Batch(ctx context.Context, id string) (Batch, error) {
	return d.batch(ctx, "asking for batch "+id, &provider.Request{Method: http.MethodGet, Path: messagesPath + "/" + url.PathEscape(id)})
}

// Cancel is part of [Driver].
func (d messages) Cancel(ctx context.Context, id string) (Batch, error) {
	return d.batch(ctx, "cancelling batch "+id, &provider.Request{
		Method: http.MethodPost, Path: messagesPath + "/" + url.PathEscape(id) + "/cancel",
	})
}

// batch makes a call whose answer is a batch. doing describes the call in error messages.
func (d messages) batch(ctx context.Context, doing string, r *provider.Request) (Batch, error) {
	var o messageBatch
	r.Endpoint, r.Into, r.Called = record.Messages, &o, "a batch"
	if err := d.client.Call(ctx, r); err != nil {
		return Batch{}, fmt.Errorf("%s: %w", doing, err)
	}
	return o.batch(), nil
}

// messagesPage is how many batches a page of the list is asked to have: the most that Anthropic
// allows (platform.claude.com/docs/en/api/messages/batches/list).
const messagesPage = 1000

// Batches is part of [Driver].
func (d messages) Batches(ctx context.Context) iter.Seq2[Batch, error] {
	fetch := func(after string) (p provider.Page[messageBatch], err error) {
		query := url.Values{"limit": {strconv.Itoa(messagesPage)}}
		if after != "" {
			query.Set("after_id", after)
		}
		err = d.client.Call(ctx, &provider.Request{
			Endpoint: record.Messages, Method: http.MethodGet, Path: messagesPath, Query: query, Into: &p, Called: "a list of batches",
		})
		if err != nil {
			err = fmt.Errorf("listing batches: %w", err)
		}
		return p, err
	}
	return pages(fetch, func(o *messageBatch) string { return o.ID }, (*messageBatch).batch)
}

// Download is part of [Driver]. The name is the batch's id. The results_url that the batch reports
// is not used: it is this path, and a key goes to no host but the user's.
func (d messages) Download(ctx context.Context, id string, w io.Writer) error {
	err := d.client.Call(ctx, &provider.Request{
		Endpoint: record.Messages, Method: http.MethodGet, Path: messagesPath + "/" + url.PathEscape(id) + "/results", To: w,
	})
	if err != nil {
		return fmt.Errorf("downloading the results of batch %s: %w", id, err)
	}
	return nil
}

// Files is part of [Driver]: there are none.
func (d messages) Files() Files { return nil }

// messageBatch is a batch in Anthropic's form.
type messageBatch struct {
	ID        string    `json:"id"`
	Status    string    `json:"processing_status"` // in_progress, canceling, ended
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	EndedAt   time.Time `json:"ended_at"`
	Counts    struct {  // all count as processing until all have ended
		Processing int64 `json:"processing"`
		Succeeded  int64 `json:"succeeded"`
		Errored    int64 `json:"errored"`
		Canceled   int64 `json:"canceled"`
		Expired    int64 `json:"expired"`
	} `json:"request_counts"`
}

// Known implements [provider.Object].
func (o *messageBatch) Known() bool { return o.ID != "" && o.Status != "" }

// batch returns o as a Batch.
func (o *messageBatch) batch() Batch {
	n := &o.Counts
	b := Batch{
		ID: o.ID, Status: stateOf(o.Status), Total: n.Processing + n.Succeeded + n.Errored + n.Canceled + n.Expired,
		Completed: n.Succeeded, Failed: n.Errored, Created: o.CreatedAt, Expires: o.ExpiresAt, EndedAt: o.EndedAt,
	}
	if o.Status != "ended" {
		return b
	}
	b.OutputFile, b.Lines = o.ID, b.Total
	switch {
	case n.Canceled > 0:
		b.Status = "cancelled"
	case n.Expired > 0:
		b.Status = "expired"
	default:
		b.Status = "completed"
	}
	return b
}
