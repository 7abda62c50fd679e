package provider

import (
	"context"
	"net/http"

	"llmpipe/stream/record"
)

// TypeKey is the error type of an attempt for which the key command of a lane printed no key.
const TypeKey = "key"

// FirstKey gets the first key, if a command prints it. The error says why there is none.
func (c *Client) FirstKey(ctx context.Context) error {
	_, err := c.keys.Get(ctx)
	return err
}

// unauthorized reports whether the provider rejects the key itself, as opposed to what the key may
// be used for.
func (r *Reply) unauthorized() bool {
	return r.Class == Fatal && r.Status == http.StatusUnauthorized
}

// keyless fills r for an attempt without a key. Nothing was sent, and the failure may pass.
func (r *Reply) keyless(ctx context.Context, err error) {
	if ctx.Err() != nil {
		r.Class = Cancelled
		r.Err = &record.Error{Type: "cancelled", Message: "cancelled before the answer came"}
		return
	}
	r.fail(TypeKey, err.Error())
}

// keylessCall returns the error of a call for which there was no key.
func (c *Client) keylessCall(ctx context.Context, err error) error {
	r := &Reply{}
	r.keyless(ctx, err)
	return c.callError(&call{}, r)
}
