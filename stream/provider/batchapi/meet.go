package batchapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// Provider has the drivers for the batches of one provider.
type Provider struct {
	client  *provider.Client
	dialect *Dialect
	none    error // why it has no batches of OpenAI's kind
}

// Meet finds out which dialect client's provider speaks. It goes by the host. If the host is
// unknown, it asks for the list of batches: a gateway to Mistral has that list at another path, and
// a server without batches has none. If asking fails in another way, the provider is taken to speak
// OpenAI's dialect.
func Meet(ctx context.Context, client *provider.Client) *Provider {
	p := &Provider{client: client, dialect: DialectOf(client)}
	base := client.Base()
	if p.dialect != &dialects[0] || client.Rehearses() || isKnown(base.Hostname()) {
		return p
	}
	err := client.Call(ctx, &provider.Request{Method: http.MethodGet, Path: "/batches", Query: url.Values{"limit": {"1"}}})
	if !absent(err) {
		return p
	}
	for i := range dialects {
		d := &dialects[i]
		if d.jobs == "" {
			continue
		}
		var page numberedPage[batchObject]
		query := url.Values{"page_size": {"1"}}
		if client.Call(ctx, &provider.Request{Method: http.MethodGet, Path: d.jobs, Query: query, Into: &page, Called: "a list"}) == nil {
			p.dialect = d
			return p
		}
	}
	p.none = fmt.Errorf("%s seems to have no Batch API: listing its batches failed: %w", base.Host, err)
	return p
}

// isKnown reports whether the host is OpenAI's or Anthropic's own.
func isKnown(host string) bool {
	return strings.HasSuffix(host, ".openai.com") || host == "api.anthropic.com"
}

// absent reports whether err says that nothing is served at the path of a call.
func absent(err error) bool {
	call := provider.AsCallError(err)
	return call != nil && slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}, call.Err.Status)
}

// Driver returns the driver for batches that use the endpoint.
func (p *Provider) Driver(endpoint record.Endpoint) Driver {
	if endpoint.Dialect() == record.Anthropic {
		return messages{p.client}
	}
	return openai{p.client, p.dialect, p.none}
}
