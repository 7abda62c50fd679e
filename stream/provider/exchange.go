package provider

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strings"

	"llmpipe/stream/record/lines"
)

// exchange holds one attempt's bytes: those to send, and those that came back.
type exchange struct {
	body []byte
	from room // where a large body takes its memory from

	status  int
	header  http.Header
	raw     []byte
	another bool // the connection went down, and another request has already reported that
}

// make makes the attempt: it sends a copy of stub over c, or over a connection of its own if own is
// set.
func (x *exchange) make(c *connections, own bool, attempt *deadline, stub *http.Request) error {
	c.begin()
	defer c.end()
	via := c.current.Load()
	if own {
		via = c.fresh
	}
	err := x.send(via, attempt.copyOf(stub))
	if err == nil {
		return nil
	}
	x.another = attempt.link.another(attempt, err)
	if late(attempt, err) {
		c.doubt(via, attempt.link)
	}
	return err
}

// send sends req with the exchange's body, and reads the whole answer. An error comes from the
// transport or from reading the answer.
func (x *exchange) send(transport http.RoundTripper, req *http.Request) error {
	x.fill(req)
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	x.status, x.header = res.StatusCode, res.Header
	x.raw, err = readBounded(x.raw, res.Body, res.ContentLength, x.from)
	if closeErr := res.Body.Close(); err == nil {
		err = closeErr
	}
	return err
}

// fill gives req, a copy of a stub, the exchange's body. The reader has a type that net/http knows
// to be in memory, so it writes header and body in one go.
func (x *exchange) fill(req *http.Request) {
	body := x.body
	req.ContentLength = int64(len(body))
	req.Body = io.NopCloser(bytes.NewReader(body))
	// With GetBody the transport resends by itself when an idle connection turns out to be dead
	// before anything was answered.
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
}

// mayBePacked reports whether a body may be compressed. Either its first byte is that of gzip, zstd
// or zlib, which no JSON begins with, or a header says so.
func mayBePacked(body []byte, h http.Header) bool {
	return len(body) > 0 && (bytes.IndexByte([]byte("\x1f\x28\x78"), body[0]) >= 0 || len(h["Content-Encoding"]) > 0)
}

// unpacked returns the content of body, decompressed if it is compressed. Its bytes decide that,
// not the header: gateways compress unasked, and keep the header after another gateway has
// decompressed the body.
func unpacked(body []byte, h http.Header, from room) ([]byte, error) {
	r, err := unpacking(body)
	if err == nil {
		var plain []byte
		if plain, err = readBounded(nil, r, -1, from); err == nil {
			body = plain
		}
	}
	if err != nil {
		return body, fmt.Errorf("decompressing the answer: %w", err)
	}
	if coding := h.Get("Content-Encoding"); strings.Contains(coding, "br") && !looksPlain(body) {
		return body, fmt.Errorf("the answer is compressed with %s, which llmpipe did not ask for", coding)
	}
	return body, nil
}

// unpacking returns a reader of the content of body.
func unpacking(body []byte) (io.Reader, error) {
	const zlibMagic, checks = 0x78, 31 // the first two bytes are a multiple of 31: RFC 1950, section 2.2
	if len(body) > 1 && body[0] == zlibMagic && (int(body[0])<<8|int(body[1]))%checks == 0 {
		return zlib.NewReader(bytes.NewReader(body))
	}
	return lines.OpenContent(bytes.NewReader(body))
}

// looksPlain reports whether a body begins like text.
func looksPlain(body []byte) bool {
	body = bytes.TrimSpace(body)
	return len(body) == 0 || body[0] >= ' ' && body[0] < 0x7f
}

// unpackedBody is a response's body, decompressed if it was compressed.
type unpackedBody struct {
	io.Reader
	io.Closer
}

// unpackBody replaces res's body by one that is not compressed and has no byte order mark.
func unpackBody(res *http.Response) error {
	plain, err := lines.OpenContent(res.Body)
	if err != nil {
		return fmt.Errorf("decompressing the answer: %w", err)
	}
	res.Body, res.ContentLength = &unpackedBody{plain, res.Body}, -1
	return nil
}
