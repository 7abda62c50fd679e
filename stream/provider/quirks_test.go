package provider

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"llmpipe/stream/record"
)

// TestQuirks asks servers that answer in the shapes of providers that people have, as their
// documentation and their users show them.
func TestQuirks(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		header map[string]string
		body   string
		class  Class
		hint   time.Duration
		says   string
	}{
		{
			name: "OpenAI: requests a minute", status: 429,
			header: map[string]string{"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "120ms", "retry-after-ms": "118"},
			body: `{"error":{"message":"Rate limit reached for gpt-4o-mini in organization org-x on requests per min (RPM): Limit 500, Used 500, ` +
				`Requested 1. Please try again in 120ms.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`,
			class: Pressure, hint: 118 * time.Millisecond, says: "Rate limit reached",
		},
		{
			name: "OpenAI: a request beyond the whole limit", status: 429,
			body: `{"error":{"message":"Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 45318. ` +
				`The input or output tokens must be reduced in order to run successfully.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}`,
			class: Refused, says: "Request too large",
		},
		{
			name: "OpenAI: no money", status: 429,
			body: `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.",` +
				`"type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`,
			class: Exhausted, says: "exceeded your current quota",
		},
		{
			name: "Azure: too many requests", status: 429,
			header: map[string]string{"Retry-After": "6"},
			body: `{"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 ` +
				`have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 6 seconds."}}`,
			class: Pressure, hint: 6 * time.Second, says: "exceeded token rate limit",
		},
		{
			name: "Azure: content filter", status: 400,
			body: `{"error":{"message":"The response was filtered due to the prompt triggering content management policy.",` +
				`"type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`,
			class: Refused, says: "content management policy",
		},
		{
			name: "Gemini: a minute's quota", status: 429,
			body: `[{"error":{"code":429,"message":"Resource has been exhausted","status":"RESOURCE_EXHAUSTED","details":[` +
				`{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel"}]},` +
				`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"41s"}]}}]`,
			class: Pressure, hint: 41 * time.Second, says: "Resource has been exhausted",
		},
		{
			name: "Gemini: a day's quota", status: 429,
			body: `[{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED","details":[` +
				`{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/x",` +
				`"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},` +
				`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"41s"}]}}]`,
			class: Exhausted, says: "exceeded your current quota",
		},
		{
			name: "Anthropic: overloaded", status: 529,
			body:  `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`,
			class: Pressure, says: "Overloaded",
		},
		{
			name: "Anthropic: input tokens a minute", status: 429,
			header: map[string]string{
				"anthropic-ratelimit-input-tokens-remaining": "0", "retry-after": "13",
				"anthropic-ratelimit-input-tokens-reset": "2031-01-01T00:00:00Z",
			},
			body:  `{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's rate limit"}}`,
			class: Pressure, hint: 13 * time.Second, says: "exceed your organization's rate limit",
		},
		{
			name: "OpenRouter: another provider's error within 200", status: 200,
			body:  `{"error":{"message":"Provider returned error","code":502,"metadata":{"provider_name":"Someone"}},"user_id":"u"}`,
			class: Transient, says: "Provider returned error",
		},
		{
			name: "OpenRouter: another provider's limit within 200", status: 200,
			body: `{"id":"gen-1","choices":[{"error":{"message":"Rate limited upstream","code":429},` +
				`"finish_reason":"error","message":{"content":""}}]}`,
			class: Pressure, says: "Rate limited upstream",
		},
		{
			name: "OpenRouter: no credit", status: 402,
			body:  `{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/credits","code":402}}`,
			class: Exhausted, says: "Insufficient credits",
		},
		{
			name: "Groq: tokens a minute", status: 429,
			header: map[string]string{"x-ratelimit-remaining-requests": "14000", "x-ratelimit-reset-requests": "2m59.56s"},
			body: `{"error":{"message":"Rate limit reached for model x in organization y on tokens per minute (TPM): Limit 6000, Used 5800, ` +
				`Requested 900. Please try again in 7.66s.","type":"tokens","code":"rate_limit_exceeded"}}`,
			class: Pressure, hint: 7660 * time.Millisecond, says: "tokens per minute",
		},
		{
			name: "vLLM: unknown model", status: 404,
			body:  `{"object":"error","message":"The model x does not exist.","type":"NotFoundError","param":null,"code":404}`,
			class: Refused, says: "does not exist",
		},
		{
			name: "Ollama: unknown model", status: 404,
			body:  `{"error":{"message":"model \"x\" not found, try pulling it first","type":"api_error","param":null,"code":null}}`,
			class: Refused, says: "try pulling it first",
		},
		{
			name: "llama.cpp: loading", status: 503,
			body:  `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`,
			class: Transient, says: "Loading model",
		},
		{
			name: "a gateway's page", status: 502,
			body:  "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>nginx</body></html>",
			class: Transient, says: "502 Bad Gateway",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			client, err := New(Config{BaseURL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			var r Reply
			client.Ask(context.Background(), record.Chat, []byte(`{}`), &r)
			if r.Class != c.class || r.Hint != c.hint {
				t.Errorf("%v with a hint of %v, want %v and %v", r.Class, r.Hint, c.class, c.hint)
			}
			if r.Err == nil || !strings.Contains(r.Err.Message, c.says) {
				t.Errorf("error %v does not say %q", r.Err, c.says)
			}
		})
	}
}

// Azure routes by deployment, wants its version with every request and its key in a header of its
// own.
func TestAzure(t *testing.T) {
	var url, key, authorization string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		url, key, authorization = r.URL.String(), r.Header.Get("Api-Key"), r.Header.Get("Authorization")
		_, _ = w.Write([]byte(answeredBody))
	}))
	defer server.Close()
	client, err := New(Config{
		BaseURL: server.URL + "/openai/deployments/mine?api-version=2024-10-21",
		Header:  http.Header{"Api-Key": {"secret"}}, Secrets: []string{"secret"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var r Reply
	client.Ask(context.Background(), record.Chat, []byte(`{}`), &r)
	if r.Class != OK || url != "/openai/deployments/mine/chat/completions?api-version=2024-10-21" || key != "secret" || authorization != "" {
		t.Errorf("%v: %s with key %q and authorization %q", r.Class, url, key, authorization)
	}
}
