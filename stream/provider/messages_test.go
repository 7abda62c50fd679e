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

// What Anthropic's errors mean (platform.claude.com/docs/en/api/errors).
func TestAnthropicErrors(t *testing.T) {
	for _, c := range []struct {
		status              int
		kind, message, more string
		want                Class
		say                 string // the error's type in the output
	}{
		{400, "invalid_request_error", "messages: Field required", "", Refused, "invalid_request_error"},
		{400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", "", Exhausted, "quota"},
		{400, "invalid_request_error", "You have reached your specified API usage limits. You will regain access on 2026-12-01.", "",
			Exhausted, "quota"},
		{400, "invalid_request_error", "You have reached your specified workspace API usage limits.", "", Exhausted, "quota"},
		{401, "authentication_error", "invalid x-api-key", "", Fatal, "authentication"},
		{402, "billing_error", "There is an issue with your billing.", "", Exhausted, "quota"},
		{403, "permission_error", "not for this key", "", Fatal, "permission"},
		{404, "not_found_error", "model: claude-nope", "", Refused, "not_found_error"},
		{409, "conflict_error", "changed meanwhile", "", Transient, "server_error"},
		{413, "request_too_large", "Request exceeds the maximum size", "", Refused, "request_too_large"},
		{429, "rate_limit_error", "This request would exceed your organization's rate limit of 50,000 input tokens per minute", "",
			Pressure, "rate_limit"},
		{429, "rate_limit_error", "The usage tier's limit is reached", `,"details":{"error_code":"enforced_spend_limit_reached"}`,
			Exhausted, "quota"},
		{500, "api_error", "Internal server error", "", Transient, "server_error"},
		{504, "timeout_error", "Timed out", "", Transient, "server_error"},
		{529, "overloaded_error", "Overloaded", "", Pressure, "rate_limit"},
		{200, "overloaded_error", "Overloaded", "", Pressure, "rate_limit"},
		{200, "api_error", "Internal server error", "", Transient, "server_error"},
	} {
		r := &Reply{Status: c.status, Header: http.Header{}}
		r.Body = []byte(`{"type":"error","error":{"type":"` + c.kind + `","message":"` + c.message + `"` + c.more + `},"request_id":"req_1"}`)
		r.judge(record.Messages, []byte(`{}`), room{})
		if r.Class != c.want || r.Err == nil || r.Err.Type != c.say {
			t.Errorf("%d %s, %s: %v %v", c.status, c.kind, c.message, r.Class, r.Err)
		}
	}
}
