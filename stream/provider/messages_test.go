package provider

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"llmpipe/stream/record"
)

const messageBody = `{"type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"hi"}],` +
	`"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":1}}`

// Where a request to Anthropic's API goes, and what shows its key.
func TestMessagesAreAskedForAsAnthropicWants(t *testing.T) {
	for _, c := range []struct {
		name, base, path string
		key              string
		header           http.Header
		apiKey, bearer   string
		version          string
	}{
		{name: "with /v1", base: "/v1", path: "/v1/messages", key: "sk-ant-api03-x", apiKey: "sk-ant-api03-x"},
		{name: "as Anthropic's clients have it", path: "/v1/messages", key: "sk-ant-api03-x", apiKey: "sk-ant-api03-x"},
		{name: "behind a path", base: "/api/anthropic/?q=1", path: "/api/anthropic/v1/messages"},
		{name: "a token of a login", key: "sk-ant-oat01-x", path: "/v1/messages", bearer: "Bearer sk-ant-oat01-x"},
		{name: "a JWT", key: "eyJhbGciOiJub25lIn0.e30.x", path: "/v1/messages", bearer: "Bearer eyJhbGciOiJub25lIn0.e30.x"},
		{name: "a header that stands for the key", key: "sk-ant-api03-x", header: http.Header{"Authorization": {"Basic y"}},
			path: "/v1/messages", bearer: "Basic y"},
		{name: "another key by header", key: "sk-ant-api03-x", header: http.Header{"X-Api-Key": {"y"}}, path: "/v1/messages", apiKey: "y"},
		{name: "another version", header: http.Header{"Anthropic-Version": {"2099-01-01"}, "Anthropic-Beta": {"b"}}, path: "/v1/messages",
			version: "2099-01-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const body = `{"max_tokens":1e1, "messages" : [{"role":"user","content":[` +
				`{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}]}`
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got, err := io.ReadAll(r.Body); err != nil || r.URL.Path == c.path && string(got) != body {
					t.Errorf("arrived: %s, %v", got, err)
				}
				if c.version == "" {
					c.version = "2023-06-01"
				}
				for name, want := range map[string]string{
					"X-Api-Key": c.apiKey, "Authorization": c.bearer, "Anthropic-Version": c.version, "Accept": "application/json",
					"Anthropic-Beta": c.header.Get("Anthropic-Beta"), "User-Agent": "llmpipe/test",
				} {
					if got := r.Header.Get(name); got != want {
						t.Errorf("%s: %q, want %q", name, got, want)
					}
				}
				switch r.URL.Path {
				case c.path:
					if kind := r.Header.Get("Content-Type"); kind != "application/json" {
						t.Errorf("it is said to be %q", kind)
					}
					_, _ = io.WriteString(w, messageBody)
				default:
					_, _ = io.WriteString(w, `{"data":[{"type":"model","id":"claude-x","display_name":"X"}],"has_more":false}`)
				}
			}))
			defer server.Close()
			client, err := New(Config{
				BaseURL: server.URL + c.base, Dialect: record.Anthropic, Key: c.key, Header: c.header, UserAgent: "llmpipe/test",
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			r := &Reply{}
			client.Ask(t.Context(), record.Messages, []byte(body), r)
			if r.Class != OK || string(r.Answer.Content) != `"hi"` || string(r.Body) != messageBody {
				t.Errorf("replied %+v, %v", r, r.Err)
			}
			if models, err := client.Models(t.Context()); err != nil || len(models) != 1 || models[0] != "claude-x" {
				t.Errorf("models: %v, %v", models, err)
			}
		})
	}
}
