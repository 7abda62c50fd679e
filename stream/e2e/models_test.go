package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestModelIsLookedForThroughAnOutage: without -m the provider is asked for its models, and asked
// again where a record would be.
func TestModelIsLookedForThroughAnOutage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		wait string // --give-up
		list func(n int64, w http.ResponseWriter)
		code int
		says []string
	}{
		{"down for a while", "1m", func(n int64, w http.ResponseWriter) {
			switch n {
			case 1:
				http.Error(w, "<html>starting</html>", http.StatusInternalServerError)
			case 2:
				answerError(w, http.StatusServiceUnavailable, "loading")
			default:
				_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"the-one"}]}`)
			}
		}, 0, []string{"warning: ", " does not list its models: server_error 500: ", "; trying again", "2 in: 2 ok"}},
		{"down", "1s", func(_ int64, w http.ResponseWriter) { answerError(w, http.StatusBadGateway, "") }, 75, []string{
			"error: the provider has not listed its models for 1s; the last failure: server_error 502: refused by the test",
			"hint: run the same command again",
		}},
		{"no models", "1m", func(_ int64, w http.ResponseWriter) { _, _ = io.WriteString(w, `{"object":"list","data":[]}`) }, 1, []string{
			"error: line 1 (id 1) names no model, and the provider lists none", "hint: name one with -m\n",
		}},
		{"a web page", "1m", func(_ int64, w http.ResponseWriter) { _, _ = io.WriteString(w, `<html>welcome</html>`) }, 1, []string{
			"error: line 1 (id 1) names no model, and the provider does not list its models: bad_response 200: the answer is not a list of models",
			"hint: there seems to be no API at this address: check the host and the port; or name the model with -m",
		}},
		{"no list", "1m", func(_ int64, w http.ResponseWriter) { http.NotFound(w, nil) }, 1, []string{"404", "hint: name the model with -m\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			lists := make(chan int64, 1)
			lists <- 1
			b := newBackend(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/models") {
					answerChat(w)
					return
				}
				n := <-lists
				lists <- n + 1
				test.list(n, w)
			})
			p := llmpipe(t, t.TempDir(), "--base-url", b.URL, "--no-ledger", "--give-up", test.wait)
			p.Stdin = strings.NewReader(numbered(1, 2))
			if code := p.exit(t); code != test.code {
				t.Errorf("exit %d, want %d", code, test.code)
			}
			p.says(t, test.says...)
		})
	}
}
