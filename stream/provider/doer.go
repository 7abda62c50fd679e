package provider

import (
	"errors"
	"net/http"

	"llmpipe/stream/provider/key"
	"llmpipe/stream/record"
)

// doer is what makes stubs of the requests that go-openai sends through it, and of those to
// Anthropic's API: it adds what every request is to carry, the key among it.
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
	if isStub {
		s.request = req
		return nil, errTaken
	}
	return d.connections.RoundTrip(req)
}

// show puts the key of s into h, as the dialect has it, unless the user gives a header that stands
// for one.
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

// errTaken keeps the client from decoding an answer that is not for it. It never leaves this
// package.
var errTaken = errors.New("there is no response to decode")
