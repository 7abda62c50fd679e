package provider

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"
)

// callTimeout bounds a call that moves little, such as one that asks how a batch is doing. Such
// answers come at once or not at all.
const callTimeout = time.Minute

// call is a request about files or batches on its way through go-openai: what it lacks, and what
// came back.
type call struct {
	adjust func(*http.Request) error // adds to the request what go-openai leaves out; nil when it is whole
	once   bool                      // over a connection of its own, and never sent again by the transport
	moves  bool                      // an up- or download: it may take as long as bytes move
	stream bool                      // the body of a 2xx is left to who asked

	stall stall
	acts  bool            // the request asks for more than to be told something
	via   *http.Transport // what it was sent over
	link  *link

	status int
	header http.Header
	raw    []byte
	err    error // of the transport, or of reading the body
}

type callKey struct{}

// run makes the call that send asks go-openai for. It returns nil when a 2xx came back whole, else
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
	err := send(context.WithValue(bounded, callKey{}, k))
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

// roundTrip sends the request that go-openai made for the call.
func (k *call) roundTrip(d *doer, req *http.Request) (*http.Response, error) {
	k.acts = req.Method != http.MethodGet
	k.link = newLink()
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &k.link.trace))
	req.URL.Path, req.URL.RawPath = accountPath(req.URL.Path), accountPath(req.URL.RawPath)
	if k.adjust != nil {
		if k.err = k.adjust(req); k.err != nil {
			return nil, k.err
		}
	}
	k.via = d.connections.current.Load()
	if k.once {
		// An idle connection may be dead, and then nobody knows whether the request arrived.
		// Without GetBody the transport cannot send a body twice, whatever header the user adds to
		// say that it might.
		k.via, req.GetBody = d.connections.fresh, nil
	}
	res, err := k.via.RoundTrip(req)
	if err != nil {
		k.err = err
		return nil, err
	}
	k.status, k.header = res.StatusCode, res.Header
	if k.moves {
		res.Body = &arrival{body: res.Body, call: k}
	}
	if k.err = unpackBody(res); k.err != nil {
		_ = res.Body.Close() // it cannot be read
		return nil, k.err
	}
	if k.stream && k.succeeded() {
		return res, nil
	}
	k.raw, k.err = readBounded(nil, res.Body, res.ContentLength)
	if err := res.Body.Close(); k.err == nil && err != nil {
		k.err = err
	}
	if k.err != nil {
		return nil, k.err
	}
	return nil, errTaken
}

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
