package provider

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// fileForm is the form in which a file is uploaded: go-openai's, made for an empty file, with the
// content put in while it is sent.
type fileForm struct {
	content io.ReaderAt
	size    int64
	stall   *stall

	head, tail []byte
	failed     atomic.Pointer[error] // the first that reading content met
}

// fill puts the form in the place of the stub's.
func (f *fileForm) fill(req *http.Request) error {
	stub, err := io.ReadAll(req.Body)
	if err != nil {
		return err
	}
	// The content of the form's last part ends where the closing boundary begins.
	end := bytes.LastIndex(stub, []byte("\r\n--"))
	if end < 0 {
		return errors.New("the form of an upload has no closing boundary")
	}
	f.head, f.tail = stub[:end], stub[end:]
	req.ContentLength = int64(len(stub)) + f.size
	req.GetBody = func() (io.ReadCloser, error) { return f.open(), nil }
	req.Body = f.open()
	return nil
}

// open begins to read the form.
func (f *fileForm) open() io.ReadCloser {
	content := &fileContent{form: f, section: io.NewSectionReader(f.content, 0, f.size), left: f.size}
	return &departure{form: f, reader: io.MultiReader(bytes.NewReader(f.head), content, bytes.NewReader(f.tail))}
}

// failure is what kept the content from being read, nil when nothing did.
func (f *fileForm) failure() error {
	if err := f.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// fileContent is what stands between the form's head and its tail. It remembers which side of a
// transfer failed.
type fileContent struct {
	form    *fileForm
	section *io.SectionReader
	left    int64
}

// Read is part of io.Reader.
func (c *fileContent) Read(p []byte) (int, error) {
	n, err := c.section.Read(p)
	c.left -= int64(n)
	if err == io.EOF && c.left > 0 {
		err = fmt.Errorf("it is %d bytes shorter than the %d that it was said to have: %w", c.left, c.form.size, io.ErrUnexpectedEOF)
	}
	if err != nil && err != io.EOF {
		c.form.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

// departure is the form as the transport reads it: waiting for the transport counts, and reading
// does not.
type departure struct {
	form   *fileForm
	reader io.Reader
}

// Read is part of io.Reader.
func (d *departure) Read(p []byte) (int, error) {
	d.form.stall.pause()
	defer d.form.stall.resume()
	return d.reader.Read(p)
}

// Close is part of io.Closer. The content is the caller's to close.
func (d *departure) Close() error { return nil }
