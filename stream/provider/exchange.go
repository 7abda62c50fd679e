package provider

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// exchange is one attempt's bytes: those to send, and those that came back.
type exchange struct {
	body []byte

	status   int
	header   http.Header
	raw      []byte
	repeated bool // the body was sent twice
}

// make makes the attempt: it sends a copy of stub over connections, and once more where the first copy was never read.
func (x *exchange) make(c *connections, attempt *deadline, stub *http.Request) error {
	c.begin()
	defer c.end()
	via := c.current.Load()
	err := x.send(via, attempt.copyOf(stub))
	if attempt.Err() == nil && attempt.link.passedEnd(x.status, err) {
		x.status, x.header, x.raw, x.repeated = 0, nil, x.raw[:0], true
		attempt.stub = nil // for another copy: the first may still be in use
		via = c.fresh
		err = x.send(via, attempt.copyOf(stub))
	}
	if err != nil && late(attempt, err) {
		c.doubt(via, attempt.link)
	}
	return err
}

// send sends req with the exchange's body, and reads the answer whole. An error is the transport's, or that of reading the answer.
func (x *exchange) send(transport http.RoundTripper, req *http.Request) error {
	x.fill(req)
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	x.status, x.header = res.StatusCode, res.Header
	x.raw, err = readBounded(x.raw, res.Body, res.ContentLength)
	if closeErr := res.Body.Close(); err == nil {
		err = closeErr
	}
	return err
}

// fill gives req, a copy of a stub, the exchange's body. The readers are of the type that net/http knows to hold everything in memory: it
// then writes header and body in one go.
func (x *exchange) fill(req *http.Request) {
	body := x.body
	req.ContentLength = int64(len(body))
	req.Body = io.NopCloser(bytes.NewReader(body))
	// With GetBody the transport resends by itself when an idle connection turns out to be dead before anything was answered.
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
}

// errTooLarge says that a response went past MaxResponse.
var errTooLarge = fmt.Errorf("response is larger than %d MiB", MaxResponse>>20)

// readBounded appends what r holds to dst, up to MaxResponse. size is what was announced, negative when nothing was.
func readBounded(dst []byte, r io.Reader, size int64) ([]byte, error) {
	if size > MaxResponse {
		return dst, errTooLarge
	}
	// One byte more than announced lets the read that finds the end happen without growing.
	dst = slices.Grow(dst, int(max(size, 511))+1)
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, len(dst))
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if len(dst) > MaxResponse {
			return dst, errTooLarge
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return dst, nil
			}
			return dst, err
		}
	}
}
