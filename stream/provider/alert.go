package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// PostAlert posts body, which is JSON, to the address target. It follows no redirect. An error does
// not show the address, because such an address is often a secret.
func PostAlert(ctx context.Context, target string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return errors.New("its address is not a URL")
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := alerts.Do(req)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		password, _ := req.URL.User.Password()
		secrets := []string{target, req.URL.RequestURI(), req.URL.Path, req.URL.RawQuery, password}
		return errors.New(newRedactor(secrets).Replace(err.Error())) // the error may quote the response
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)); err != nil {
		return fmt.Errorf("its answer broke off: %w", err)
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("answered with %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	}
	return nil
}

// alerts posts alerts. Following a redirect would send the address to another host, as Referer.
var alerts = http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}
