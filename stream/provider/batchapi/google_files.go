package batchapi

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"llmpipe/stream/provider"
)

// googleFiles implements [Files] with Gemini's own API (ai.google.dev/api/files). Batches of
// Gemini's OpenAI-compatible API read such files and answer in them. A file's id is its name in the
// API: files/abc.
type googleFiles struct{ client *provider.Client }

// googleKey is the header that carries the API's key.
const googleKey = "X-Goog-Api-Key"

// Upload is part of [Files]. A first request announces the file, and its answer says where to send
// the content. If that is not an address at the provider, the error is not a CallError.
func (f googleFiles) Upload(ctx context.Context, name string, content io.ReaderAt, size int64) (File, error) {
	begin := &provider.Request{
		Method: http.MethodPost, Path: "/upload/v1beta/files", Root: true, KeyHeader: googleKey,
		Header: http.Header{
			"X-Goog-Upload-Protocol": {"resumable"}, "X-Goog-Upload-Command": {"start"},
			"X-Goog-Upload-Header-Content-Length": {strconv.FormatInt(size, 10)}, "X-Goog-Upload-Header-Content-Type": {"application/jsonl"},
		},
		Body: &provider.Content{Type: "application/json", Head: fmt.Appendf(nil, `{"file":{"display_name":%q}}`, name)},
	}
	if err := f.client.Call(ctx, begin); err != nil {
		return File{}, fmt.Errorf("uploading %s: %w", name, err)
	}
	to, err := url.Parse(begin.Got.Get("X-Goog-Upload-Url"))
	base := f.client.Base()
	if err != nil || to.Host != "" && to.Host != base.Host || to.Path == "" {
		return File{}, fmt.Errorf("uploading %s: the provider gives no upload address at its own host", name)
	}
	var o googleFile
	err = f.client.Call(ctx, &provider.Request{
		Method: http.MethodPost, Path: to.EscapedPath(), Query: to.Query(), Root: true, KeyHeader: googleKey,
		Header: http.Header{"X-Goog-Upload-Offset": {"0"}, "X-Goog-Upload-Command": {"upload, finalize"}},
		Body:   &provider.Content{Type: "application/jsonl", File: content, Size: size}, Into: &o, Called: "a file",
	})
	if err != nil {
		return File{}, fmt.Errorf("uploading %s: %w", name, err)
	}
	return o.file(), nil
}

// File is part of [Files].
func (f googleFiles) File(ctx context.Context, id string) (File, error) {
	var o googleFile
	err := f.client.Call(ctx, &provider.Request{
		Method: http.MethodGet, Path: googlePath("/v1beta/" + id), Root: true, KeyHeader: googleKey, Into: &o, Called: "a file",
	})
	if err != nil {
		return File{}, fmt.Errorf("asking for file %s: %w", id, err)
	}
	return o.file(), nil
}

// List is part of [Files].
func (f googleFiles) List(ctx context.Context) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		for token := ""; ; {
			query := url.Values{"pageSize": {strconv.Itoa(batchPage)}}
			if token != "" {
				query.Set("pageToken", token)
			}
			var page googleList
			err := f.client.Call(ctx, &provider.Request{
				Method: http.MethodGet, Path: "/v1beta/files", Query: query, Root: true, KeyHeader: googleKey, Into: &page, Called: "a list of files",
			})
			if err == nil && page.Next == token && token != "" {
				err = errNoNextPage
			}
			if err != nil {
				yield(File{}, fmt.Errorf("listing files: %w", err))
				return
			}
			for i := range page.Files {
				if !yield(page.Files[i].file(), nil) {
					return
				}
			}
			if token = page.Next; token == "" {
				return
			}
		}
	}
}

// Delete is part of [Files].
func (f googleFiles) Delete(ctx context.Context, id string) error {
	err := f.client.Call(ctx, &provider.Request{
		Method: http.MethodDelete, Path: googlePath("/v1beta/" + id), Root: true, KeyHeader: googleKey,
	})
	if err != nil {
		return fmt.Errorf("deleting file %s: %w", id, err)
	}
	return nil
}

// googleDownload returns the request that downloads a file to w.
func googleDownload(id string, w io.Writer) *provider.Request {
	return &provider.Request{
		Method: http.MethodGet, Path: googlePath("/download/v1beta/" + id + ":download"), Query: url.Values{"alt": {"media"}}, Root: true,
		KeyHeader: googleKey, To: w,
	}
}

// googlePath escapes a path that contains an id.
func googlePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// googleFile is a file in Google's form. The answer to an upload wraps it in `file`.
type googleFile struct {
	File        *googleFile `json:"file"`
	Name        string      `json:"name"`
	DisplayName string      `json:"displayName"`
	Size        string      `json:"sizeBytes"`
	Created     string      `json:"createTime"`
	State       string      `json:"state"` // PROCESSING, ACTIVE, FAILED
	Error       struct {
		Message string `json:"message"`
	} `json:"error"`
}

// Known implements [provider.Object].
func (o *googleFile) Known() bool { return o.Name != "" || o.File != nil && o.File.Name != "" }

// file returns o as a File.
func (o *googleFile) file() File {
	if o.File != nil {
		o = o.File
	}
	size, _ := strconv.ParseInt(o.Size, 10, 64)
	created, _ := time.Parse(time.RFC3339, o.Created)
	f := File{ID: o.Name, Name: o.DisplayName, Bytes: size, Created: created, Status: strings.ToLower(o.State), StatusDetails: o.Error.Message}
	switch o.State {
	case "ACTIVE", "":
		f.Status = "processed"
	case "FAILED":
		f.Status = "error"
	}
	return f
}

// googleList is one page of files. A page without files is an empty object.
type googleList struct {
	Files []googleFile `json:"files"`
	Next  string       `json:"nextPageToken"`
}

// Known implements [provider.Object].
func (l *googleList) Known() bool { return true }
