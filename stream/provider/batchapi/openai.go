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

// openai is an API of OpenAI's kind: a file is uploaded, and a batch is created from it.
type openai struct {
	client  *provider.Client
	dialect *Dialect
	none    error // why the provider has no batches; nil if it has
}

// Bounds is part of [Driver].
func (d openai) Bounds() Bounds { return d.dialect.Bounds() }

// Check is part of [Driver].
func (d openai) Check(endpoint record.Endpoint, model string) error {
	if d.none != nil {
		return d.none
	}
	base := d.client.Base()
	return d.dialect.check(&base, endpoint, model)
}

// path returns the path of batches.
func (d openai) path() string { return cmp.Or(d.dialect.jobs, "/batches") }

// AppendHead is part of [Driver].
func (d openai) AppendHead(dst []byte, customID string, endpoint record.Endpoint) []byte {
	if d.dialect.bare {
		return record.AppendBareBatchHead(dst, customID)
	}
	base := d.client.Base()
	return record.AppendBatchHead(dst, customID, d.dialect.pathOf(&base, endpoint))
}

// Tail is part of [Driver].
func (d openai) Tail() string { return "}\n" }

// Create is part of [Driver].
func (d openai) Create(ctx context.Context, n *NewBatch) (Batch, error) {
	base := d.client.Base()
	asked := *n
	asked.Window = cmp.Or(d.dialect.window, n.Window)
	request := d.dialect.request
	if request == nil {
		request = withMetadata
	}
	body, err := json.Marshal(request(&asked, d.dialect.pathOf(&base, n.Endpoint)))
	if err != nil {
		return Batch{}, err
	}
	return d.batch(ctx, "creating a batch", &provider.Request{
		Method: http.MethodPost, Path: d.path(), Body: &provider.Content{Type: "application/json", Head: body}, Once: true,
	})
}

// Batch is part of [Driver].
func (d openai) Batch(ctx context.Context, id string) (Batch, error) {
	return d.batch(ctx, "asking for batch "+id, &provider.Request{Method: http.MethodGet, Path: d.path() + "/" + url.PathEscape(id)})
}

// Cancel is part of [Driver]. OpenAI answers 409 if the batch has ended; the error's Class is then
// Transient.
func (d openai) Cancel(ctx context.Context, id string) (Batch, error) {
	return d.batch(ctx, "cancelling batch "+id, &provider.Request{
		Method: http.MethodPost, Path: d.path() + "/" + url.PathEscape(id) + "/cancel",
	})
}

// batch makes a call whose answer is a batch. doing describes the call in error messages.
func (d openai) batch(ctx context.Context, doing string, r *provider.Request) (Batch, error) {
	var o batchObject
	r.Into, r.Called = &o, "a batch"
	if err := d.client.Call(ctx, r); err != nil {
		return Batch{}, fmt.Errorf("%s: %w", doing, err)
	}
	return d.told(o.batch()), nil
}

// told redacts the secrets in b's error messages.
func (d openai) told(b Batch) Batch {
	for i := range b.Errors {
		b.Errors[i].Message = d.client.Redacted(b.Errors[i].Message)
	}
	return b
}

// batchPage is how many items a page of a list is asked to have: the most that OpenAI allows for
// batches.
const batchPage = 100

// Batches is part of [Driver].
func (d openai) Batches(ctx context.Context) iter.Seq2[Batch, error] {
	item := func(o *batchObject) Batch { return d.told(o.batch()) }
	if d.dialect.paged {
		return numbered(listPages[batchObject](ctx, d.client, d.path(), "batches"), item)
	}
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
	return pages(fetch, func(o *batchObject) string { return o.own().ID }, item)
}

// Download is part of [Driver]. The name is the file's id.
func (d openai) Download(ctx context.Context, id string, w io.Writer) error {
	r := &provider.Request{Method: http.MethodGet, Path: "/files/" + url.PathEscape(id) + "/content", To: w}
	if d.dialect.google {
		r = googleDownload(id, w)
	}
	if err := d.client.Call(ctx, r); err != nil {
		return fmt.Errorf("downloading file %s: %w", id, err)
	}
	return nil
}

// Files is part of [Driver].
func (d openai) Files() Files {
	if d.dialect.google {
		return googleFiles{d.client}
	}
	return openaiFiles{d.client, d.dialect}
}
