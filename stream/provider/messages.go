package provider

import (
	"context"
	"net/http"
	"strings"

	"llmpipe/stream/record"
)

// What requests to Anthropic's API carry in their headers
// (platform.claude.com/docs/en/api/overview, and .../api/versioning for the version, of which there
// is one since 2023).
const (
	anthropicKey            = "X-Api-Key"
	anthropicVersion        = "Anthropic-Version"
	anthropicVersionInForce = "2023-06-01"
)

// callAnthropic makes the request for a message and sends it through the doer, as go-openai does
// with its own.
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

// address is that of a path behind /v1. Anthropic's own clients are given a base URL without /v1,
// and llmpipe one with it: both will do there.
func (c *Client) address(d record.Dialect, path string) string {
	base := strings.TrimRight(c.base.String(), "/")
	if d == record.Anthropic {
		base = strings.TrimSuffix(base, "/v1") + "/v1"
	}
	return base + path
}
