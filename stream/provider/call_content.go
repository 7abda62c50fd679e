package provider

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// Content is the body of a [Request]: Head, then the first Size bytes of File, then Tail. File is
// read while it is sent.
type Content struct {
	Type       string // its Content-Type
	Head, Tail []byte
	File       io.ReaderAt // nil for none
	Size       int64

	stall  *stall
	failed atomic.Pointer[error] // the first error from reading File
}

// fill makes the content the body of req.
func (c *Content) fill(req *http.Request) {
	req.Header.Set("Content-Type", c.Type)
	req.ContentLength = int64(len(c.Head)+len(c.Tail)) + c.Size
	req.GetBody = func() (io.ReadCloser, error) { return c.open(), nil }
	req.Body = c.open()
}

// open begins to read the content.
func (c *Content) open() io.ReadCloser {
	if c.File == nil {
		return io.NopCloser(io.MultiReader(bytes.NewReader(c.Head), bytes.NewReader(c.Tail)))
	}
	file := &contentFile{content: c, section: io.NewSectionReader(c.File, 0, c.Size), left: c.Size}
	return &departure{content: c, reader: io.MultiReader(bytes.NewReader(c.Head), file, bytes.NewReader(c.Tail))}
}

// failure returns the error that kept File from being read, or nil.
func (c *Content) failure() error {
	if c == nil {
		return nil
	}
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// contentFile is the part between the content's head and its tail. It remembers which side of a
// transfer failed.
type contentFile struct {
	content *Content
	section *io.SectionReader
	left    int64
}

// Read is part of io.Reader.
func (f *contentFile) Read(p []byte) (int, error) {
	n, err := f.section.Read(p)
	f.left -= int64(n)
	if err == io.EOF && f.left > 0 {
		err = fmt.Errorf("it is %d bytes shorter than the announced %d: %w", f.left, f.content.Size, io.ErrUnexpectedEOF)
	}
	if err != nil && err != io.EOF {
		f.content.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

// departure is the content as the transport reads it. Time spent waiting for the transport counts
// towards a stall; time spent reading does not.
type departure struct {
	content *Content
	reader  io.Reader
}

// Read is part of io.Reader.
func (d *departure) Read(p []byte) (int, error) {
	d.content.stall.pause()
	defer d.content.stall.resume()
	return d.reader.Read(p)
}

// Close is part of io.Closer. The content is the caller's to close.
func (d *departure) Close() error { return nil }
