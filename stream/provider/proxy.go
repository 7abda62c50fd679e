package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"llmpipe/stream/record"
)

// TypeProxy is the error type of a proxy named in the environment, as opposed to those of the
// provider behind it.
const TypeProxy = "proxy"

// Codes of a proxy's errors. Some errors have none.
const (
	proxyWantsName = "proxy_authentication" // it wants a name and a password
	proxyDenies    = "proxy_denied"         // it lets nobody through to the provider
)

// proxy is what stands between a client and its provider.
type proxy struct {
	url      *url.URL
	variable string // the environment variable that names it
	target   *url.URL
}

// proxyTo returns the proxy that the environment names for base; nil for none. It is looked up
// once, because every request of a client goes to the same host.
func proxyTo(base *url.URL) (*proxy, error) {
	variable := strings.ToUpper(base.Scheme) + "_PROXY"
	u, err := http.ProxyFromEnvironment(&http.Request{URL: base})
	switch {
	case err != nil: // the error may hold a password
		return nil, fmt.Errorf("the proxy in %s cannot be used: it is not a URL, or this is a CGI program", variable)
	case u == nil:
		return nil, nil
	case !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme):
		return nil, fmt.Errorf("the proxy in %s cannot be used: its URL begins with %q, not with http, https, socks5 or socks5h",
			variable, u.Scheme+":")
	}
	return &proxy{url: u, variable: variable, target: base}, nil
}

// password returns the proxy's password, empty if there is none.
func (p *proxy) password() string {
	if p == nil {
		return ""
	}
	password, _ := p.url.User.Password()
	return password
}

// use makes t's requests go through p.
func (p *proxy) use(t *http.Transport) {
	if p == nil {
		return
	}
	t.Proxy = http.ProxyURL(p.url)
	t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, res *http.Response) error {
		if res.StatusCode != http.StatusOK {
			return &noTunnel{res.StatusCode, res.Status}
		}
		return nil
	}
}

// noTunnel is a proxy's answer when it should have connected to the provider.
type noTunnel struct {
	status int
	said   string
}

// Error implements error.
func (e *noTunnel) Error() string { return "answered CONNECT with " + e.said }

// forGood reports whether the answer is about what was asked for, rather than about the present
// state of the proxy or the network.
func (e *noTunnel) forGood() bool {
	switch e.status {
	case http.StatusNotFound, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return true
	}
	return e.status < 500
}

// explain makes r mention the proxy. r is of a request that ended with err before there was a
// connection to the provider.
func (p *proxy) explain(r *Reply, err error) {
	if p == nil || r.Class == Cancelled {
		return
	}
	var refusal *noTunnel
	var op *net.OpError
	switch {
	case errors.As(err, &refusal):
		p.refused(r, refusal)
	case errors.As(err, &op) && strings.HasPrefix(op.Op, "socks"):
		p.refusedSOCKS(r, op.Err)
	case errors.As(err, &op) && op.Op == "proxyconnect":
		r.Err.Type, r.Err.Message = TypeProxy, fmt.Sprintf("the proxy %s: %s", p.url.Host, r.Err.Message)
	default: // the cause is the proxy, or the server behind it
		r.Err.Message = fmt.Sprintf("through the proxy %s: %s", p.url.Host, r.Err.Message)
	}
}

func (p *proxy) refused(r *Reply, refusal *noTunnel) {
	r.Class = Transient
	r.Err = &record.Error{Type: TypeProxy, Status: refusal.status, Message: fmt.Sprintf("the proxy %s %v", p.url.Host, refusal)}
	if refusal.status == http.StatusProxyAuthRequired {
		r.Class, r.Err.Code = Fatal, proxyWantsName
	} else if refusal.forGood() {
		r.Class, r.Err.Code = Fatal, proxyDenies
	}
}

// refusedSOCKS makes r report the refusal of a SOCKS 5 proxy. net/http describes its answers in the
// words of RFC 1928, section 6, and RFC 1929.
func (p *proxy) refusedSOCKS(r *Reply, err error) {
	said := strings.TrimPrefix(err.Error(), "unknown error ")
	r.Class = Transient
	r.Err = &record.Error{Type: TypeProxy, Message: fmt.Sprintf("the proxy %s: %s", p.url.Host, said)}
	switch {
	case strings.Contains(said, "authentication"):
		r.Class, r.Err.Code = Fatal, proxyWantsName
	case strings.Contains(said, "not allowed by ruleset"), strings.Contains(said, "protocol version"):
		r.Class, r.Err.Code = Fatal, proxyDenies
	}
}

// explainAnswer makes r, which holds an answer, mention the proxy if the proxy gave that answer.
// Over plain HTTP a proxy's own answers look like the provider's, but providers answer in JSON.
func (p *proxy) explainAnswer(r *Reply) {
	if p == nil || p.target.Scheme != "http" || r.Status < 400 || bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte("{")) {
		return
	}
	r.Err.Message = fmt.Sprintf("through the proxy %s: %s", p.url.Host, r.Err.Message)
	switch r.Status {
	case http.StatusProxyAuthRequired:
		r.Err.Code = proxyWantsName
	case http.StatusForbidden:
		r.Err.Type, r.Err.Code = TypeProxy, proxyDenies
	}
}

// ProxyHint says what to do about err, from an attempt of c, if err is the proxy's; else it is "".
func (c *Client) ProxyHint(err *record.Error) string {
	p := c.proxy
	switch {
	case p == nil || err.Type != TypeProxy:
		return ""
	case err.Code == proxyWantsName && p.url.User != nil:
		return "the proxy does not accept the name and the password in " + p.variable
	case err.Code == proxyWantsName:
		return fmt.Sprintf("the proxy wants a name and a password: %s=%s://NAME:PASSWORD@%s", p.variable, p.url.Scheme, p.url.Host)
	}
	past := "NO_PROXY=" + p.target.Hostname() + " bypasses it"
	if err.Code == proxyDenies {
		return "the proxy blocks the way to " + p.target.Host + ": ask its owner to allow it; " + past
	}
	if err.Status != 0 {
		return "the proxy runs, but cannot reach " + p.target.Host + " now; " + past
	}
	return "check that the proxy in " + p.variable + " is running; " + past
}
