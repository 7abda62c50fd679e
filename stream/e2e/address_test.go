package e2e

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// wrongAddresses are base URLs that people get wrong, by what is wrong with each, and what they are
// told. An API is served at api/v1, over TLS at secure/v1, and a web page at page.
func wrongAddresses(t *testing.T) map[string]struct{ url, hint string } {
	t.Helper()
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/v1/models":
			_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"llama3:8b"},{"id":"qwen3:4b"}]}`)
		case "/v1/chat/completions":
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"message":"model \"m\" not found, try pulling it first","type":"api_error"}}`)
		default:
			http.NotFound(w, r)
		}
	})
	plain, secure := httptest.NewServer(api), httptest.NewUnstartedServer(api)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><html><body>Welcome</body></html>")
	}))
	for _, s := range []*httptest.Server{plain, secure, page} {
		t.Cleanup(s.Close)
	}
	plainHost, secureHost := strings.TrimPrefix(plain.URL, "http://"), strings.TrimPrefix(secure.URL, "https://")
	return map[string]struct{ url, hint string }{
		"no path":        {plain.URL, "the base URL has no path: try OPTION" + plain.URL + "/v1"},
		"an endpoint":    {plain.URL + "/v1/chat/completions", "llmpipe adds /chat/completions itself: try OPTION" + plain.URL + "/v1"},
		"another path":   {plain.URL + "/api", "the base URL of an API usually ends in /v1: try OPTION" + plain.URL + "/api/v1"},
		"https for http": {"https://" + plainHost + "/v1", "the server speaks plain HTTP: try OPTION" + plain.URL + "/v1"},
		"http for https": {"http://" + secureHost + "/v1", "the server speaks TLS: try OPTION" + secure.URL + "/v1"},
		"a wrong port":   {"http://127.0.0.1:1/v1", "nothing listens at this address: is the server running"},
		"a web page":     {page.URL + "/v1", "there seems to be no API at this address: check the host and the port"},
		"another model":  {plain.URL + "/v1", "fetch it with ollama pull m"},
	}
}

// TestHintsForWrongAddresses gets a base URL wrong in every way, for requests with a model and
// without, whose name is then looked for first; for a sample, a batch, and a lane behind another.
func TestHintsForWrongAddresses(t *testing.T) {
	t.Parallel()
	for name, wrong := range wrongAddresses(t) {
		at := func(args string) []string { return strings.Fields(fmt.Sprintf(args, wrong.url)) }
		for way, args := range map[string][]string{
			"a model":  at("--no-ledger --base-url %s -m m in.jsonl"),
			"no model": at("--no-ledger --base-url %s in.jsonl"),
			"estimate": at("estimate --sample 1 --no-ledger --base-url %s in.jsonl"),
			"a batch":  at("--mode batch -l batch.jsonl --base-url %s -m m in.jsonl"),
			"fallback": at("--no-ledger --base-url sim:?outage=0s-1h -m m --fallback url=%s in.jsonl"),
		} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				option, hint := "--base-url ", wrong.hint
				if way == "fallback" {
					option = "--fallback url="
				}
				switch {
				case name == "another model" && (way == "no model" || way == "estimate"):
					hint = "name one with -m: llama3:8b, qwen3:4b"
				case name == "another model" && way == "a batch":
					hint = "use --mode realtime, which works with every provider" // this one has no batches
				case name == "http for https" && way == "a batch":
					t.Skip("the server may close the connection before it has said so")
				}
				dir := t.TempDir()
				writeFile(t, dir, "in.jsonl", `{"id":1,"prompt":"hi"}`+"\n")
				p := llmpipe(t, dir, append(args, "--give-up", "1s", "--retries", "1")...)
				if p.exit(t) == 0 {
					t.Error("exit 0")
				}
				p.says(t, "hint: ", strings.Replace(hint, "OPTION", option, 1))
				if said := p.err.String(); strings.HasPrefix(said, "llmpipe: hint:") {
					t.Errorf("nothing says what the hint is about: %s", said)
				}
			})
		}
	}
}
