package provider

import (
	"context"
	"net/http"
	"strings"

	"llmpipe/stream/record"
)

// Headers of requests to Anthropic's API (platform.claude.com/docs/en/api/overview, and
// .../api/versioning for the version, which has not changed since 2023).
const (
	anthropicKey            = "X-Api-Key"
	anthropicVersion        = "Anthropic-Version"
	anthropicVersionInForce = "2023-06-01"
)

// callAnthropic makes the request for a message and sends it through the doer, as go-openai does
// with its own requests.
func (c *Client) callAnthropic(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address(record.Anthropic, "/messages"), http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(anthropicVersion, anthropicVersionInForce)
	_, err = c.doer.Do(req)
	return err
}

// address returns the address of a path below /v1. Anthropic's own clients take a base URL without
// /v1, and llmpipe takes one with it. In Anthropic's dialect both work.
func (c *Client) address(d record.Dialect, path string) string {
	base := strings.TrimRight(c.base.String(), "/")
	if d == record.Anthropic {
		base = strings.TrimSuffix(base, "/v1") + "/v1"
	}
	return base + path
}
