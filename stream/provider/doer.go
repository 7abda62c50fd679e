package provider

import (
	"errors"
	"net/http"
)

// doer is what go-openai sends its requests through. It adds what every request is to carry, and
// keeps stubs.
//
// It uses the transports directly, so redirects are not followed: no key ever travels to a host
// that the user did not name.
type doer struct {
	connections *connections
	header      http.Header
	query       string
}

// Do implements openai.HTTPDoer.
func (d *doer) Do(req *http.Request) (*http.Response, error) {
	for k, v := range d.header {
		req.Header[k] = v
	}
	if host := req.Header.Get("Host"); host != "" { // which net/http takes from elsewhere, and sends no other
		req.Host = host
		req.Header.Del("Host")
	}
	if d.query != "" {
		if req.URL.RawQuery != "" {
			req.URL.RawQuery += "&"
		}
		req.URL.RawQuery += d.query
	}
	if s, ok := req.Context().Value(stubKey{}).(*stub); ok {
		s.request = req
		return nil, errTaken
	}
	return d.connections.RoundTrip(req)
}

// errTaken keeps the client from decoding an answer that is not for it. It never leaves this
// package.
var errTaken = errors.New("there is no response to decode")
