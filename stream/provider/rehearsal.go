package provider

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"llmpipe/stream/provider/sim"
)

// rehearsal notes whether a simulator has answered over the network.
type rehearsal struct{ heard atomic.Pointer[string] } // the mark's value

func (r *rehearsal) listen(h http.Header) {
	if as, ok := h[sim.Mark]; ok && r.heard.Load() == nil {
		r.heard.Store(&as[0])
	}
}

// Rehearses reports whether the answers are made up, in process or by a simulator that has answered
// over the network.
func (c *Client) Rehearses() bool { return c.sim != nil || c.rehearsal.heard.Load() != nil }

// RehearsesAs returns the provider whose dialect a simulator speaks; "" if that is OpenAI or there
// is no simulator.
func (c *Client) RehearsesAs() string {
	switch as := c.rehearsal.heard.Load(); {
	case c.sim != nil:
		return c.sim.Dialect()
	case as != nil && *as != sim.Plain:
		return *as
	}
	return ""
}

// Base returns the address up to and including /v1.
func (c *Client) Base() url.URL { return *c.base }

// probeTimeout bounds a probe. A server that takes longer is not taken for a simulator.
const probeTimeout = 5 * time.Second

// Probe finds out whether the server is a simulator. It asks only over plain http, which is how
// simulators are served. It sends no key and asks for no work. Afterwards Rehearses knows.
func (c *Client) Probe(ctx context.Context) {
	if c.sim != nil || c.base.Scheme != "http" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, c.base.String(), nil)
	if err != nil {
		return
	}
	if res, err := c.connections.RoundTrip(req); err == nil {
		c.rehearsal.listen(res.Header)
		_ = res.Body.Close() // it has no body
	}
}

// simScheme is the prefix of the base URL of the simulator in this process.
const simScheme = "sim:"

// IsSim reports whether a base URL asks for the simulator in this process.
func IsSim(baseURL string) bool { return strings.HasPrefix(baseURL, simScheme) }

// CheckBaseURL returns what is wrong with an address, or with the options of a simulator.
func CheckBaseURL(baseURL string) (err error) {
	if IsSim(baseURL) {
		_, err = simOptions(baseURL)
	} else {
		_, err = parseBaseURL(baseURL)
	}
	return err
}

// simOptions reads the options in the base URL of a simulator.
func simOptions(baseURL string) (sim.Options, error) {
	rest := strings.TrimPrefix(baseURL, simScheme)
	query, ok := strings.CutPrefix(rest, "?")
	if !ok && rest != "" {
		return sim.Options{}, fmt.Errorf("base URL %s: options begin with a question mark, as in sim:?%s", baseURL,
			cmp.Or(strings.Trim(rest, "/"), "latency=50ms"))
	}
	options, err := sim.ParseOptions(query)
	if err != nil {
		err = fmt.Errorf("base URL %s: %w", baseURL, err)
	}
	return options, err
}
