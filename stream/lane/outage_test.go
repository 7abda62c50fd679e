package lane

import (
	"net/url"
	"testing"
)

func TestReachHint(t *testing.T) {
	const refused = "connection refused by 127.0.0.1:1"
	for _, test := range []struct{ base, message, want string }{
		{"http://localhost:11434/v1", refused, "is Ollama running? ollama serve starts it"},
		{"http://127.0.0.1:8000/v1", refused, "is vLLM running? vllm serve MODEL starts it"},
		{"http://[::1]:8080/v1", refused, "is llama.cpp running? llama-server -m MODEL starts it"},
		{"http://localhost:5555/v1", refused, "nothing listens there: is the server running, and is the port of --base-url right?"},
		{"http://10.0.0.7:11434/v1", refused, "nothing listens there: check --base-url"},
		{"https://api.example.com/v1", "looking up api.example.com: no such host", "check the name in --base-url, and the network"},
		{"https://api.example.com/v1", "connection reset", ""},
		{"http://localhost/v1", `net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x15\x03\x01\x00\x02\x02"`,
			"it speaks TLS there: begin --base-url with https://"},
		{"https://localhost/v1", "tls: first record does not look like a TLS handshake",
			"it speaks plain HTTP there: begin --base-url with http://"},
		{"sim:?fail=1", "the server had an error", ""},
	} {
		if got := reachHint(test.base, test.message); got != test.want {
			t.Errorf("%s, %s: %q, want %q", test.base, test.message, got, test.want)
		}
	}
}

func TestPathHint(t *testing.T) {
	u, err := url.Parse("https://api.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := pathHint(u), "the base URL has no path: try --base-url https://api.example.com/v1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
