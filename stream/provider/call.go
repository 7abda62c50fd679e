package provider

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"llmpipe/stream/provider/key"
	"llmpipe/stream/record"
)

// callTimeout bounds a call that moves little, such as one that asks how a batch is doing. Such
// answers come at once or not at all.
const callTimeout = time.Minute

// Request is a call that is not about one record, but about files, batches or models.
type Request struct {
	// Endpoint is the one to whose dialect the call belongs: it carries the same headers, and the key
	// in the same way.
	Endpoint record.Endpoint
	Method   string
	Path     string // below the base URL and its /v1, escaped: /batches/b-1
	Query    url.Values
	// Root is for a Path below the host alone.
	Root bool
	// KeyHeader is the header that carries the key, where it is not the endpoint's.
	KeyHeader string
	Header    http.Header // over those of the endpoint
	Body      *Content    // nil for none
	// Once sends it over a connection of its own, and never again by itself: what it asks for is paid
	// for as often as it is done.
	Once bool
	// Into is what the body of a 2xx is read into, and Called what that is, in a message; nil where
	// nothing is read of it.
	Into   Object
	Called string
	// To takes the body of a 2xx as it comes; nil where it is no download.
	To io.Writer
	// Got is set to the headers of what came back.
	Got http.Header
}

// call is a Request on its way.
type call struct {
	moves bool // it may take as long as bytes move

	stall stall
	acts  bool            // the request asks for more than to be told something
	via   *http.Transport // what it was sent over
	link  *link

	status int
	header http.Header
	raw    []byte
	err    error // of the transport, or of reading the body
}

// Call makes a call. It takes at most a minute, or Config.Timeout if that is less; an up- or
// download takes as long as bytes move, and ends when none has for Config.Timeout. It holds nothing
// of either in memory. Errors of the provider and the network, a body that breaks off included, are
// a *[CallError]; others are of the content that is sent, which may be read for a moment after one,
// or of To.
func (c *Client) Call(ctx context.Context, r *Request) error {
	with, err := c.keys.Get(ctx)
	for err == nil {
		k, called := c.callWith(ctx, with, r)
		if k.status != http.StatusUnauthorized {
			if k.status != 0 {
				c.keys.Accept(with)
			}
			return called
		}
		next, wrong := c.keys.Reject(ctx, with)
		if next == nil && wrong == nil {
			return called
		}
		with, err = next, wrong
	}
	return c.keylessCall(ctx, err)
}

// callWith makes a call with one key.
func (c *Client) callWith(ctx context.Context, with *key.Key, r *Request) (*call, error) {
	k := &call{moves: r.To != nil || r.Body != nil && r.Body.File != nil, acts: r.Method != http.MethodGet}
	sink := &sink{w: r.To}
	err := c.run(ctx, k, func(ctx context.Context) error {
		req, err := c.request(ctx, c.loginWith(with), r)
		if err != nil {
			return err
		}
		return k.send(c.connections, req, r, sink)
	})
	r.Got = k.header
	switch {
	case err == nil && r.Into != nil:
		return k, c.read(k, r.Into, r.Called)
	case sink.err != nil:
		return k, fmt.Errorf("writing what came: %w", sink.err)
	case err != nil && r.Body.failure() != nil:
		return k, fmt.Errorf("reading what is to be sent: %w", r.Body.failure())
	}
	return k, err
}

// request makes the HTTP request of r, with the headers that every request of its endpoint has.
func (c *Client) request(ctx context.Context, l *login, r *Request) (*http.Request, error) {
	stub, err := c.stub(l, r.Endpoint)
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(c.address(r.Endpoint.Dialect(), r.Path))
	if r.Root {
		address, err = url.Parse(c.base.Scheme + "://" + c.base.Host + r.Path)
	}
	if err != nil {
		return nil, err
	}
	address.Path, address.RawPath = accountPath(address.Path), accountPath(address.RawPath)
	address.RawQuery = stub.URL.RawQuery
	if len(r.Query) > 0 {
		address.RawQuery = strings.TrimSuffix(r.Query.Encode()+"&"+stub.URL.RawQuery, "&")
	}
	req := (&http.Request{Method: r.Method, URL: address, Host: stub.Host, Header: stub.Header.Clone()}).WithContext(ctx)
	req.Header.Del("Content-Type")
	if r.KeyHeader != "" && l.key.Text != "" {
		req.Header.Del("Authorization")
		req.Header.Set(r.KeyHeader, l.key.Text)
	}
	maps.Copy(req.Header, r.Header)
	if r.Body != nil {
		r.Body.fill(req)
	}
	if r.Once {
		// Without GetBody the transport cannot send a body twice, whatever header the user adds to
		// say that it might.
		req.GetBody = nil
	}
	return req, nil
}

// send sends req, and reads what comes back.
func (k *call) send(connections *connections, req *http.Request, r *Request, sink *sink) error {
	k.link = newLink()
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &k.link.trace))
	if r.Body != nil {
		r.Body.stall = &k.stall
	}
	k.via = connections.current.Load()
	if r.Once {
		// An idle connection may be dead, and then nobody knows whether the request arrived.
		k.via = connections.fresh
	}
	res, err := k.via.RoundTrip(req)
	if err != nil {
		k.err = err
		return err
	}
	defer func() {
		if err := res.Body.Close(); k.err == nil && err != nil {
			k.err = err
		}
	}()
	k.status, k.header = res.StatusCode, res.Header
	if k.moves {
		res.Body = &arrival{body: res.Body, call: k}
	}
	if k.err = unpackBody(res); k.err != nil {
		return k.err
	}
	if r.To != nil && k.succeeded() {
		_, err := io.Copy(sink, res.Body)
		if sink.err == nil && k.err == nil {
			k.err = err
		}
		return err
	}
	k.raw, k.err = readBounded(nil, res.Body, res.ContentLength, room{})
	return k.err
}

// run makes the call that send makes. It returns nil when a 2xx came back whole, else a
// *CallError.
func (c *Client) run(ctx context.Context, k *call, send func(context.Context) error) error {
	limit, missing := min(c.timeout, callTimeout), "no answer within "
	if k.moves {
		limit, missing = c.timeout, "no byte moved for "
	}
	bounded, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	k.stall.begin(limit, func() { cancel(errTimeout) })
	defer k.stall.end()
	err := send(bounded)
	if k.err != nil {
		err = k.err
	}
	c.rehearsal.listen(k.header)
	reply := k.reply()
	switch {
	case k.status == 0 || k.err != nil:
		reply.unanswered(ctx, bounded, err, missing+limit.String())
		switch {
		case k.via != nil && !k.connected():
			c.proxy.explain(reply, err)
		case k.via != nil && late(bounded, err):
			c.connections.doubt(k.via, k.link)
		}
	case k.succeeded():
		return nil
	default:
		reply.applyError()
		c.proxy.explainAnswer(reply)
	}
	return c.callError(k, reply)
}

// connected reports whether there was a connection to send the request over.
func (k *call) connected() bool { return k.link != nil && k.link.conn != nil }

func (k *call) succeeded() bool { return k.status >= 200 && k.status < 300 }

// reply is what came back, yet to be judged.
func (k *call) reply() *Reply { return &Reply{Status: k.status, Header: k.header, Body: k.raw} }

// accountPath takes the deployment out of a path of Azure's, where files and batches belong to the
// account: /openai/deployments/mine/files is /openai/files.
func accountPath(path string) string {
	const azure, deployments = "/openai/", "deployments/"
	base, rest, ok := strings.Cut(path, azure+deployments)
	if !ok {
		return path
	}
	_, rest, _ = strings.Cut(rest, "/")
	return base + azure + rest
}

// sink remembers which side of a transfer failed.
type sink struct {
	w   io.Writer
	err error
}

// Write is part of io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	s.err = err
	return n, err
}
