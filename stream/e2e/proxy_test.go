package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// The proxy that the environment names is asked for a provider elsewhere, and not for one that NO_PROXY names or that is on this machine.
func TestProxy(t *testing.T) {
	t.Parallel()
	const answer = `{"choices":[{"message":{"content":"%s"},"finish_reason":"stop"}]}`
	var proxied atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied.Add(1)
		if r.URL.Host != "provider.test" { // a proxy is sent whole addresses
			t.Errorf("the proxy was asked for %s", r.URL)
		}
		fmt.Fprintf(w, answer, "by proxy")
	}))
	defer proxy.Close()
	direct := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, answer, "directly") }))
	defer direct.Close()
	for _, c := range []struct{ url, noProxy, want string }{
		{"http://provider.test/v1", "", "by proxy"},
		{direct.URL, "", "directly"},
		{direct.URL, "provider.test", "directly"},
	} {
		p := llmpipe(t, t.TempDir(), "--base-url", c.url, "-m", "m", "--no-ledger", "-f", "text")
		p.Env = append(p.Env, "HTTP_PROXY="+proxy.URL, "NO_PROXY="+c.noProxy)
		p.Stdin = strings.NewReader(`"hello"` + "\n")
		if code := p.exit(t); code != 0 || p.out.String() != c.want+"\n" {
			t.Errorf("%s: exit %d, %q, %s", c.url, code, &p.out, &p.err)
		}
	}
	if proxied.Load() != 1 {
		t.Errorf("the proxy was asked %d times", proxied.Load())
	}
}
