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

// callTimeout bounds a call that transfers little, such as one for the status of a batch. Such
// answers come at once or not at all.
const callTimeout = time.Minute

// Request is a call that is not about one record, but about files, batches or models.
type Request struct {
	// Endpoint selects the dialect: the call carries the headers of that endpoint, and the key in the
	// same way.
	Endpoint record.Endpoint
	Method   string
	Path     string // below the base URL and its /v1, escaped: /batches/b-1
	Query    url.Values
	// Root says that Path is relative to the host, not to the base URL.
	Root bool
	// KeyHeader is the header that carries the key, if it is not the endpoint's.
	KeyHeader string
	Header    http.Header // overrides the endpoint's
	Body      *Content    // nil for none
	// Once sends the request over a connection of its own, and the transport never resends it: what it
	// asks for is billed each time it is done.
	Once bool
	// Into is what the body of a 2xx is parsed into; nil if it is not parsed. Called names that object
	// in a message.
	Into   Object
	Called string
	// To takes the body of a 2xx as it arrives; nil if the call is not a download.
	To io.Writer
	// Got is set to the headers of the response.
	Got http.Header
}

// call is a Request in progress.
type call struct {
	moves bool // it may take as long as bytes keep moving

	stall stall
	acts  bool            // the request does more than read
	via   *http.Transport // the transport that it was sent over
	link  *link

	status int
	header http.Header
	raw    []byte
	err    error // from the transport, or from reading the body
}

// Call makes a call. It takes at most a minute, or Config.Timeout if that is less. An upload or
// download may take as long as bytes keep moving, and ends when none has moved for Config.Timeout;
// neither is held in memory. An error of the provider or the network, including a body that breaks
// off, is a *[CallError]. Any other error comes from reading the content or from writing to To. The
// content may still be read for a moment after an error.
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
		return k, fmt.Errorf("writing the response: %w", sink.err)
	case err != nil && r.Body.failure() != nil:
		return k, fmt.Errorf("reading the request body: %w", r.Body.failure())
	}
	return k, err
}

// request makes the HTTP request for r, with the headers that every request to its endpoint has.
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
		// Without GetBody the transport cannot send a body twice, even if the user adds a header that
		// would allow it.
		req.GetBody = nil
	}
	return req, nil
}

// send sends req and reads the response.
func (k *call) send(connections *connections, req *http.Request, r *Request, sink *sink) error {
	k.link = newLink()
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &k.link.trace))
	if r.Body != nil {
		r.Body.stall = &k.stall
	}
	k.via = connections.current.Load()
	if r.Once {
		// An idle connection may be dead, and then it is unknown whether the request arrived.
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

// run makes a call by send, within its time limit. It returns nil if a complete 2xx came back, else
// a *CallError.
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

// reply returns what came back, not yet judged.
func (k *call) reply() *Reply { return &Reply{Status: k.status, Header: k.header, Body: k.raw} }

// accountPath takes the deployment out of an Azure path, because files and batches belong to the
// account there: /openai/deployments/mine/files becomes /openai/files.
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
