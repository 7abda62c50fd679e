package provider

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// exchange is one attempt's bytes on their way through go-openai: those to send, and those that came back.
type exchange struct {
	body []byte

	status int
	header http.Header
	raw    []byte
	err    error // of the transport, or of reading the body
}

type exchangeKey struct{}

// errTooLarge says that a response went past MaxResponse.
var errTooLarge = fmt.Errorf("response is larger than %d MiB", MaxResponse>>20)

// doer carries an exchange's bytes beneath go-openai. A request without an exchange in its context passes as it is.
//
// It uses the transport directly, so redirects are not followed: no key ever travels to a host that the user did not name.
type doer struct {
	transport http.RoundTripper
	header    http.Header
	query     string
}

// Do implements openai.HTTPDoer.
func (d *doer) Do(req *http.Request) (*http.Response, error) {
	for k, v := range d.header {
		req.Header[k] = v
	}
	if d.query != "" {
		req.URL.RawQuery = d.query
	}
	x, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return d.transport.RoundTrip(req)
	}
	x.fill(req)
	res, err := d.transport.RoundTrip(req)
	if err != nil {
		x.err = err
		return nil, err
	}
	x.status, x.header = res.StatusCode, res.Header
	x.raw, x.err = readBounded(x.raw, res.Body, res.ContentLength)
	if err := res.Body.Close(); x.err == nil && err != nil {
		x.err = err
	}
	if x.err != nil {
		return nil, x.err
	}
	return nil, errTaken
}

// errTaken keeps the client from decoding what the exchange holds already. It never leaves this package.
var errTaken = errors.New("the exchange took the response")

// fill replaces the stub's body by the exchange's. The readers are of the type that net/http knows to hold everything in memory: it then
// writes header and body in one go.
func (x *exchange) fill(req *http.Request) {
	body := x.body
	req.ContentLength = int64(len(body))
	req.Body = io.NopCloser(bytes.NewReader(body))
	// With GetBody the transport resends by itself when an idle connection turns out to be dead before anything was answered.
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
}

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
