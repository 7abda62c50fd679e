package provider

import (
	"errors"
	"net/http"

	"llmpipe/stream/provider/key"
	"llmpipe/stream/record"
)

// doer makes stubs from the requests that go-openai sends through it, and from those to Anthropic's
// API. It adds what every request must carry, including the key.
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
	s, isStub := req.Context().Value(stubKey{}).(*stub)
	if isStub && s.key != "" {
		d.show(req.Header, s)
	}
	for k, v := range d.header {
		req.Header[k] = v
	}
	if host := req.Header.Get("Host"); host != "" { // net/http sends only req.Host, not the header
		req.Host = host
		req.Header.Del("Host")
	}
	if d.query != "" {
		if req.URL.RawQuery != "" {
			req.URL.RawQuery += "&"
		}
		req.URL.RawQuery += d.query
	}
	if isStub {
		s.request = req
		return nil, errTaken
	}
	return d.connections.RoundTrip(req)
}

// show puts the key of s into h, in the form of the dialect, unless the user gives a header that
// replaces it.
func (d *doer) show(h http.Header, s *stub) {
	switch {
	case d.header.Get("Authorization") != "":
	case s.dialect == record.Anthropic && !key.IsToken(s.key):
		if d.header.Get(anthropicKey) == "" {
			h.Set(anthropicKey, s.key)
		}
	default:
		h.Set("Authorization", "Bearer "+s.key)
	}
}

// errTaken tells go-openai that there is no response to decode, because the doer took the request
// as a stub. It never leaves this package.
var errTaken = errors.New("there is no response to decode")
