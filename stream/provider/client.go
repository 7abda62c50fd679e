package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"llmpipe/stream/provider/key"
	"llmpipe/stream/provider/sim"
	"llmpipe/stream/record"
)

// DefaultBaseURL returns the base URL of OpenAI or Anthropic, from its API reference.
func DefaultBaseURL(d record.Dialect) string {
	if d == record.Anthropic {
		return "https://api.anthropic.com/v1"
	}
	return "https://api.openai.com/v1"
}

// DefaultTimeout bounds one attempt, from the first byte sent to the last byte read. Reasoning
// models take minutes.
const DefaultTimeout = 10 * time.Minute

// MaxResponse bounds the body of a response, in bytes. A batch of large embeddings stays below it
// by a factor of four.
const MaxResponse = 64 << 20

// Config says which provider to talk to, and how.
type Config struct {
	// BaseURL is the address up to and including /v1, or "sim:" with options as a query. A query is
	// added to every request; Azure takes its api-version that way. In Anthropic's dialect the /v1 may
	// be left out, as Anthropic's own clients do.
	BaseURL string
	// Dialect is the API dialect that the provider speaks.
	Dialect record.Dialect
	// Key is sent with every request, in the form of the dialect; empty for servers that need none.
	Key string
	// KeyCommand is a command that prints the key, instead of Key; empty for none.
	KeyCommand string
	// Header is added to every request, and overrides what the client sets by itself.
	Header http.Header
	// Secrets are header values that must not appear in a message, like Key.
	Secrets []string
	// Timeout bounds one attempt; 0 means DefaultTimeout.
	Timeout time.Duration
	// Connections is how many idle connections are kept at most. It should be the number of requests
	// in flight.
	Connections int
	// UserAgent names the program to the provider.
	UserAgent string
	// Dial makes the connections; nil dials over the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Account identifies the account whose quota is used: by the address, and by a secret. The secret
// is the command that prints the key, else the key, else the headers that replace it. It must not
// be shown.
func (c *Config) Account() (baseURL, secret string) {
	return cmp.Or(c.BaseURL, DefaultBaseURL(c.Dialect)), cmp.Or(c.KeyCommand, c.Key, strings.Join(c.Secrets, "\n"))
}

// Client asks one provider. It is safe for concurrent use.
type Client struct {
	name        string
	api         *openai.Client
	connections *connections
	memory      *Memory // nil if nothing bounds what bodies take together
	proxy       *proxy  // nil for none
	sim         *sim.Server
	timeout     time.Duration
	deadlines   deadlines
	dialect     record.Dialect
	keys        *key.Source
	login       atomic.Pointer[login]
	doer        *doer
	redactor    redactor
	local       bool
	base        *url.URL
	rehearsal   rehearsal
}

// New checks c and makes a client from it. It sends nothing yet.
func New(c Config) (*Client, error) {
	sim, err := openSim(c.BaseURL)
	if err != nil {
		return nil, err
	}
	base := &url.URL{Scheme: "http", Host: simName, Path: "/v1"}
	var via *proxy
	if sim == nil {
		if base, err = parseBaseURL(c.BaseURL); err != nil {
			return nil, err
		}
		if via, err = proxyTo(base); err != nil {
			return nil, err
		}
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	client := &Client{
		name:        base.Host,
		connections: newConnections(transportTo(base, via, sim, c.Dial, c.Connections)),
		proxy:       via,
		sim:         sim,
		timeout:     c.Timeout,
		deadlines:   deadlines{timeout: c.Timeout},
		redactor:    redactor{always: slices.Concat(c.Secrets, secretsIn(base.Query()), []string{via.password()})},
		local:       sim != nil || isLoopback(base.Hostname()),
		dialect:     c.Dialect,
	}
	header := c.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if c.UserAgent != "" && header.Get("User-Agent") == "" {
		header.Set("User-Agent", c.UserAgent)
	}
	client.keys = key.Fixed(c.Key)
	if c.KeyCommand != "" {
		client.keys = key.Command(c.KeyCommand)
	}
	client.doer = &doer{connections: client.connections, header: header, query: base.RawQuery}
	config := openai.DefaultConfig("") // the doer adds the key
	config.HTTPClient = client.doer
	base.RawQuery = ""
	client.base = base
	config.BaseURL = client.address(record.OpenAI, "")
	client.api = openai.NewClientWithConfig(config)
	return client, nil
}

// openSim returns the simulator that a "sim:" address asks for, and nil for every other address.
func openSim(baseURL string) (*sim.Server, error) {
	if !IsSim(baseURL) {
		return nil, nil
	}
	options, err := simOptions(baseURL)
	if err != nil {
		return nil, err
	}
	return sim.New(options), nil
}

func parseBaseURL(s string) (*url.URL, error) {
	base, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("base URL is not a URL")
	case base.User != nil:
		return nil, errors.New("base URL contains a user name or password: put the secret into an environment variable, and name that with " +
			"--key-env or --header-env")
	case base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return nil, fmt.Errorf("base URL %q is not sim:, and does not start with http:// or https://", Shown(s))
	}
	base.Fragment = ""
	return base, nil
}

// NameOf returns the name of the provider at baseURL for price tables and reports: its host.
func NameOf(baseURL string) string {
	if IsSim(baseURL) {
		return simName
	}
	u, err := url.Parse(baseURL)
	if err != nil {
		return ""
	}
	return u.Host
}

// simName is the simulator's name; other providers are named by their host.
const simName = "sim"

// Exposed reports whether a key sent to baseURL would cross a network in clear text.
func Exposed(baseURL string) bool {
	u, err := url.Parse(baseURL)
	return err == nil && u.Scheme == "http" && !isLoopback(u.Hostname())
}

// IsLocal reports whether the server at a base URL is on this machine.
func IsLocal(baseURL string) bool {
	u, err := url.Parse(baseURL)
	return err == nil && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// shortestSecret is the least length of a secret, in bytes. A shorter one is a placeholder for a
// local server that needs no key, and redacting it would garble every message.
const shortestSecret = 4

// newRedactor returns a replacer of secrets, including those escaped in a URL or quoted by Go's
// rules. Some providers repeat the key that they reject, and errors of net/http quote what came.
func newRedactor(secrets []string) *strings.Replacer {
	var pairs []string
	for _, s := range secrets {
		if len(s) < shortestSecret {
			continue
		}
		quoted := strconv.Quote(s)
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), quoted[1 : len(quoted)-1]} {
			pairs = append(pairs, form, "[redacted]")
		}
	}
	return strings.NewReplacer(pairs...)
}

// Redacted returns s without the secrets in it.
func (c *Client) Redacted(s string) string { return c.redactor.of(c.keys).Replace(s) }

// redactor holds the newest replacer of secrets.
type redactor struct {
	always []string // secrets other than the keys

	mu     sync.Mutex
	count  int // how many keys there had been when newest was made
	newest *strings.Replacer
}

// of returns a replacer that knows all current secrets.
func (r *redactor) of(keys *key.Source) *strings.Replacer {
	secrets, count := keys.Secrets()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.newest == nil || r.count != count {
		r.newest, r.count = newRedactor(slices.Concat(r.always, secrets)), count
	}
	return r.newest
}

// redactReply takes secrets out of everything in reply that people see or files hold, except the
// body of an answer.
func (c *Client) redactReply(reply *Reply) {
	if e := reply.Err; e != nil {
		e.Type, e.Code, e.Message = c.Redacted(e.Type), c.Redacted(e.Code), c.Redacted(e.Message)
		e.Cut()
	}
	if to := reply.Header.Get("Location"); to != "" {
		reply.Header.Set("Location", c.Redacted(to))
	}
}

// AbandonKey ends the run of the command that prints the key, if one is under way. No other run
// begins.
func (c *Client) AbandonKey() { c.keys.Close() }

// Close closes idle connections, and the simulator if there is one in process.
func (c *Client) Close() {
	c.keys.Close()
	c.deadlines.close()
	c.connections.close()
	if c.sim != nil {
		c.sim.Close()
	}
}

// LimitConnections bounds how many connections are open at once. It must be called before any
// request.
func (c *Client) LimitConnections(n int) { c.connections.limit(n) }

// Bound makes large bodies of answers take their memory from m. It must be called before any
// request.
func (c *Client) Bound(m *Memory) { c.memory = m }

// Expect tells the client how many requests may be in flight from now on, and idle connections
// beyond that are closed. 0 means no more than are in flight now. Expect is called from time to
// time, by one goroutine.
func (c *Client) Expect(n int) { c.connections.expect(n) }

// Name returns the provider's host, for reports.
func (c *Client) Name() string { return c.name }

// Simulated reports whether the answers are made up in process.
func (c *Client) Simulated() bool { return c.sim != nil }

// Local reports whether the provider is on this machine.
func (c *Client) Local() bool { return c.local }

// errTimeout is the cause of an attempt's context if the attempt took too long, as opposed to being
// cancelled by the caller.
var errTimeout = errors.New("attempt timed out")

// Ask makes one attempt to get body answered, and fills reply, whose buffer it reuses. If ctx ends
// before the answer comes, the reply's class is [Cancelled]. The body is sent unchanged, and is not
// kept unless the reply says BodyInUse.
//
// If a command prints the key, a 401 makes it run again, and the attempt is repeated with the new
// key.
func (c *Client) Ask(ctx context.Context, endpoint record.Endpoint, body []byte, reply *Reply) {
	k, err := c.keys.Get(ctx)
	for err == nil {
		c.ask(ctx, k, endpoint, body, reply)
		if !reply.unauthorized() {
			if reply.Status != 0 {
				c.keys.Accept(k)
			}
			return
		}
		next, wrong := c.keys.Reject(ctx, k)
		if next == nil && wrong == nil {
			return
		}
		k, err = next, wrong
	}
	reply.reset()
	reply.Start = time.Now()
	reply.keyless(ctx, err)
	c.redactReply(reply)
}

// ask makes an attempt with one key.
func (c *Client) ask(ctx context.Context, k *key.Key, endpoint record.Endpoint, body []byte, reply *Reply) {
	own := reply.Stale // a stale connection must not be met again
	reply.reset()
	start := time.Now()
	attempt := c.deadlines.start(ctx)
	x := exchange{body: body, raw: reply.Body[:0], from: room{c.memory, &reply.held, attempt}}
	stub, err := c.stub(c.loginWith(k), endpoint)
	if err == nil {
		err = x.make(c.connections, own, attempt, stub)
	}
	reply.Start, reply.Latency = start, time.Since(start)
	reply.Status, reply.Header, reply.Body = x.status, x.header, x.raw
	c.rehearsal.listen(x.header)
	if err != nil || x.status < 200 || x.status > 299 {
		reply.BodyInUse = true
	}
	switch {
	case err == nil:
		reply.judge(endpoint, body, x.from)
		c.proxy.explainAnswer(reply)
	default:
		reply.unanswered(ctx, attempt, err, "no answer within "+c.timeout.String())
		reply.Shared = x.another
		if attempt.link.conn == nil {
			reply.Sent = false
			c.proxy.explain(reply, err)
		}
	}
	reply.Stale = reply.Latency < staleWithin && attempt.link.stale(x.status, err)
	if err != nil && attempt.link.unread(err) {
		reply.Sent = false
	}
	c.deadlines.end(attempt, !reply.BodyInUse)
	c.redactReply(reply)
	reply.settle()
}

// Models lists the models that the provider offers. An error is a *[CallError].
func (c *Client) Models(ctx context.Context) ([]string, error) {
	var list Page[struct {
		ID string `json:"id"`
	}]
	r := Request{Method: http.MethodGet, Path: "/models", Into: &list, Called: "a list of models"}
	if c.dialect == record.Anthropic {
		r.Endpoint = record.Messages
	}
	if err := c.Call(ctx, &r); err != nil {
		return nil, err
	}
	names := make([]string, len(list.Data))
	for i, m := range list.Data {
		names[i] = m.ID
	}
	return names, nil
}
