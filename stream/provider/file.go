package provider

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// File is a file that lies at the provider.
type File struct {
	ID   string
	Name string
	// Status is uploaded, then processed, or error; Azure has pending and running between them. A
	// batch may not find a file before it is processed.
	Status string
	// StatusDetails says what is wrong with a file in the state error; else "".
	StatusDetails string
	Bytes         int64
	Created       time.Time
}

// fileObject is a file as the API shows it.
type fileObject struct {
	ID        string `json:"id"`
	Filename  string `json:"filename"`
	Status    string `json:"status"`
	Details   string `json:"status_details"`
	Bytes     int64  `json:"bytes"`
	CreatedAt int64  `json:"created_at"`
}

func (o *fileObject) known() bool { return o.ID != "" }

func (c *Client) fileOf(o *fileObject) File {
	return File{ID: o.ID, Name: o.Filename, Status: o.Status, StatusDetails: c.redact.Replace(o.Details), Bytes: o.Bytes,
		Created: timeOf(o.CreatedAt)}
}

// timeOf is a time that the API gives in seconds; the zero time for one that it does not give.
func timeOf(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0)
}

// UploadFile makes a file called name, for a batch to read, of the first size bytes of content. It
// holds nothing in memory, takes as long as bytes move, and ends when none has for Config.Timeout.
// Errors of the provider and the network are a *CallError; others are of content, which may be read
// for a moment after one.
func (c *Client) UploadFile(ctx context.Context, name string, content io.ReaderAt, size int64) (File, error) {
	k := &call{moves: true}
	form := &fileForm{content: content, size: size, stall: &k.stall}
	k.adjust = form.fill
	err := c.run(ctx, k, func(ctx context.Context) error {
		_, err := c.api.CreateFileBytes(ctx, openai.FileBytesRequest{Name: name, Purpose: openai.PurposeBatch})
		return err
	})
	if own := form.failure(); own != nil && err != nil {
		return File{}, fmt.Errorf("reading %s to upload it: %w", name, own)
	}
	var o fileObject
	if err == nil {
		err = c.read(k, &o, "a file")
	}
	if err != nil {
		return File{}, fmt.Errorf("uploading %s: %w", name, err)
	}
	return c.fileOf(&o), nil
}

// File asks for what is known of a file. Errors are a *CallError; its Status is 404 while, or when,
// there is no such file.
func (c *Client) File(ctx context.Context, id string) (File, error) {
	k := &call{}
	err := c.run(ctx, k, func(ctx context.Context) error {
		_, err := c.api.GetFile(ctx, url.PathEscape(id))
		return err
	})
	var o fileObject
	if err == nil {
		err = c.read(k, &o, "a file")
	}
	if err != nil {
		return File{}, fmt.Errorf("asking for file %s: %w", id, err)
	}
	return c.fileOf(&o), nil
}

// Files lists the files that were uploaded for batches, page after page. An error, mostly a
// *CallError, is the last that it yields.
func (c *Client) Files(ctx context.Context) iter.Seq2[File, error] {
	fetch := func(after string) (p page[fileObject], err error) {
		k := &call{adjust: func(req *http.Request) error {
			query := req.URL.Query()
			query.Set("purpose", string(openai.PurposeBatch))
			if after != "" {
				query.Set("after", after)
			}
			req.URL.RawQuery = query.Encode()
			return nil
		}}
		err = c.run(ctx, k, func(ctx context.Context) error {
			_, err := c.api.ListFiles(ctx)
			return err
		})
		if err == nil {
			err = c.read(k, &p, "a list of files")
		}
		if err != nil {
			err = fmt.Errorf("listing files: %w", err)
		}
		return p, err
	}
	return pages(fetch, func(o *fileObject) string { return o.ID }, c.fileOf)
}

// DeleteFile deletes a file. Errors are a *CallError.
func (c *Client) DeleteFile(ctx context.Context, id string) error {
	err := c.run(ctx, &call{}, func(ctx context.Context) error { return c.api.DeleteFile(ctx, url.PathEscape(id)) })
	if err != nil {
		return fmt.Errorf("deleting file %s: %w", id, err)
	}
	return nil
}

// DownloadFile writes the content of a file to w and returns how many bytes that took. It takes as
// long as bytes move, and ends when none has come for Config.Timeout. Errors of the provider and
// the network, a body that breaks off included, are a *CallError; others are of w.
func (c *Client) DownloadFile(ctx context.Context, id string, w io.Writer) (int64, error) {
	sink := &fileSink{w: w}
	err := c.run(ctx, &call{moves: true, stream: true}, func(ctx context.Context) error {
		content, err := c.api.GetFileContent(ctx, url.PathEscape(id))
		if err != nil {
			return err
		}
		defer content.Close()
		_, err = io.Copy(sink, content)
		return err
	})
	if sink.err != nil {
		return sink.n, fmt.Errorf("writing what file %s holds: %w", id, sink.err)
	}
	if err != nil {
		return sink.n, fmt.Errorf("downloading file %s: %w", id, err)
	}
	return sink.n, nil
}

// fileSink counts what is written, and remembers which side of a transfer failed.
type fileSink struct {
	w   io.Writer
	n   int64
	err error
}

// Write is part of io.Writer.
func (s *fileSink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	s.n += int64(n)
	s.err = err
	return n, err
}
