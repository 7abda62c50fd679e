package stream

import (
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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

// An outage is told when it begins and when it is over, once each, however many records fail in it.
func TestOutageIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := try(t, "sim:?latency=1s&outage=3s-40s", prompts(100), func(c *Config) { c.Pace.GiveUp = time.Hour })
		if r.Summary.OK != 100 {
			t.Errorf("%+v", r.Summary)
		}
		said := r.said.String()
		for _, want := range []string{
			"llmpipe: warning: sim fails every request, the last with ", "; records wait for it, at most 1h00m, and lose no attempt\n",
			"llmpipe: sim answers again\n",
		} {
			if n := strings.Count(said, want); n != 1 {
				t.Errorf("%q is said %d times, want once", want, n)
			}
		}
		if t.Failed() {
			t.Log(said)
		}
	})
}
