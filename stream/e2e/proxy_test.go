package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// The proxy that the environment names is asked for a provider elsewhere, and not for one that
// NO_PROXY names or that is on this machine.
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
	direct := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, answer, "directly") })
	for _, c := range []struct{ url, noProxy, want string }{
		{"http://provider.test/v1", "", "by proxy"},
		{direct, "", "directly"},
		{direct, "provider.test", "directly"},
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

// refusingProxy answers every request with says, whatever it is, and hangs up.
func refusingProxy(t *testing.T, says string) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, says)
				_ = conn.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// A proxy that refuses is named, and a hint says what to do. What waiting does not change ends the
// run; what it may is tried again.
func TestProxyRefuses(t *testing.T) {
	t.Parallel()
	const none = "" // nobody listens
	const asksWho = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
	for name, c := range map[string]struct {
		says, scheme, target string
		code                 int
		hint                 string
	}{
		"no name given":        {asksWho, "http://", "https", 1, "HTTPS_PROXY=http://NAME:PASSWORD@"},
		"a wrong password":     {asksWho, "http://me:hush-hush@", "https", 1, "the password in HTTPS_PROXY"},
		"CONNECT denied":       {"HTTP/1.1 403 Filtered\r\n\r\n", "http://", "https", 1, "NO_PROXY=provider.test"},
		"no CONNECT at all":    {"HTTP/1.1 405 Method Not Allowed\r\n\r\n", "http://", "https", 1, "NO_PROXY=provider.test"},
		"a busy proxy":         {"HTTP/1.1 503 Service Unavailable\r\n\r\n", "http://", "https", 3, "cannot reach provider.test"},
		"SOCKS, no name given": {"\x05\xff", "socks5://", "https", 1, "HTTPS_PROXY=socks5://NAME:PASSWORD@"},
		"not listening":        {none, "http://", "https", 3, "check that the proxy in HTTPS_PROXY is running"},
		"plain, no name given": {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 6\r\n\r\n<html>", "http://", "http", 1,
			"HTTP_PROXY=http://NAME:PASSWORD@"},
		"plain, denied":        {"HTTP/1.1 403 Filtered\r\nContent-Length: 6\r\n\r\n<html>", "http://", "http", 1, "NO_PROXY=provider.test"},
		"plain, not listening": {none, "http://", "http", 3, "check that the proxy in HTTP_PROXY is running"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := refusingProxy(t, c.says)
			if c.says == none {
				address = strings.TrimSuffix(strings.TrimPrefix(closedPort(t), "http://"), "/v1")
			}
			p := llmpipe(t, t.TempDir(), "--base-url", c.target+"://provider.test/v1", "-m", "m", "--no-ledger", "--retries", "1")
			p.Env = append(p.Env, strings.ToUpper(c.target)+"_PROXY="+c.scheme+address)
			p.Stdin = strings.NewReader(`"hello"` + "\n")
			code := p.exit(t)
			said := p.out.String() + p.err.String()
			if code != c.code || !strings.Contains(said, "the proxy "+address) || !strings.Contains(p.err.String(), c.hint) {
				t.Errorf("exit %d, %s", code, said)
			}
			if strings.Contains(said, "hush-hush") {
				t.Errorf("the password is told: %s", said)
			}
		})
	}
}
