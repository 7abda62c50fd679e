package batchapi

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"

	"llmpipe/stream/provider"
)

// openaiFiles implements [Files] with OpenAI's API.
type openaiFiles struct {
	client  *provider.Client
	dialect *Dialect
}

// purpose returns the purpose of a file that a batch reads.
func (f openaiFiles) purpose() string { return cmp.Or(f.dialect.upload.purpose, "batch") }

// Upload is part of [Files].
func (f openaiFiles) Upload(ctx context.Context, name string, content io.ReaderAt, size int64) (File, error) {
	form, err := f.form(name, content, size)
	if err != nil {
		return File{}, err
	}
	return f.file(ctx, "uploading "+name, &provider.Request{
		Method: http.MethodPost, Path: cmp.Or(f.dialect.upload.path, "/files"), Body: form,
	})
}

// form returns the form of an upload, with the content in its place.
func (f openaiFiles) form(name string, content io.ReaderAt, size int64) (*provider.Content, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	if err := w.WriteField("purpose", f.purpose()); err != nil {
		return nil, err
	}
	if f.dialect.upload.named {
		if err := w.WriteField("file_name", name); err != nil {
			return nil, err
		}
	}
	if _, err := w.CreateFormFile("file", name); err != nil {
		return nil, err
	}
	head := form.Len()
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &provider.Content{
		Type: w.FormDataContentType(), Head: form.Bytes()[:head:head], File: content, Size: size, Tail: form.Bytes()[head:],
	}, nil
}

// File is part of [Files].
func (f openaiFiles) File(ctx context.Context, id string) (File, error) {
	return f.file(ctx, "asking for file "+id, &provider.Request{Method: http.MethodGet, Path: "/files/" + url.PathEscape(id)})
}

// file makes a call whose answer is a file. doing describes the call in error messages.
func (f openaiFiles) file(ctx context.Context, doing string, r *provider.Request) (File, error) {
	var o fileObject
	r.Into, r.Called = &o, "a file"
	if err := f.client.Call(ctx, r); err != nil {
		return File{}, fmt.Errorf("%s: %w", doing, err)
	}
	return f.fileOf(&o), nil
}

// List is part of [Files].
func (f openaiFiles) List(ctx context.Context) iter.Seq2[File, error] {
	if f.dialect.paged {
		return numbered(listPages[fileObject](ctx, f.client, "/files", "files"), f.fileOf)
	}
	fetch := func(after string) (p provider.Page[fileObject], err error) {
		query := url.Values{"purpose": {f.purpose()}}
		if after != "" {
			query.Set("after", after)
		}
		err = f.client.Call(ctx, &provider.Request{Method: http.MethodGet, Path: "/files", Query: query, Into: &p, Called: "a list of files"})
		if err != nil {
			err = fmt.Errorf("listing files: %w", err)
		}
		return p, err
	}
	return pages(fetch, func(o *fileObject) string { return o.ID }, f.fileOf)
}

// Delete is part of [Files].
func (f openaiFiles) Delete(ctx context.Context, id string) error {
	err := f.client.Call(ctx, &provider.Request{Method: http.MethodDelete, Path: "/files/" + url.PathEscape(id)})
	if err != nil {
		return fmt.Errorf("deleting file %s: %w", id, err)
	}
	return nil
}

// fileObject is a file in the API's form.
type fileObject struct {
	ID        string `json:"id"`
	Filename  string `json:"filename"`
	Status    string `json:"status"`
	Details   string `json:"status_details"`
	Bytes     int64  `json:"bytes"`
	CreatedAt stamp  `json:"created_at"`
}

// Known implements [provider.Object].
func (o *fileObject) Known() bool { return o.ID != "" }

func (f openaiFiles) fileOf(o *fileObject) File {
	return File{ID: o.ID, Name: o.Filename, Status: o.Status, StatusDetails: f.client.Redacted(o.Details), Bytes: o.Bytes,
		Created: time.Time(o.CreatedAt)}
}
