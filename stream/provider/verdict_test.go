package provider

import (
	"net/http"
	"testing"
	"time"

	"llmpipe/stream/record"
)

const answeredBody = `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`

func errorBody(code string) string {
	return `{"error":{"message":"m","type":"t","code":"` + code + `"}}`
}

// TestRules has a case for each row of the table, and those that look like another row's.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		header string // of the form "Name: value"
		value  string
		body   string
		want   Class
	}{
		{"answer", 200, "", "", answeredBody, OK},
		{"empty", 200, "", "", "", Transient},
		{"broken off", 200, "", "", answeredBody[:20], Transient},
		{"no choice", 200, "", "", `{"choices":[]}`, Transient},
		{"200 around a 400, as routers do", 200, "", "", `{"error":{"code":400,"message":"bad"}}`, Refused},
		{"200 around a 429", 200, "", "", `{"error":{"code":429,"message":"slow"}}`, Pressure},
		{"200 around an error", 200, "", "", `{"error":{"message":"upstream"}}`, Transient},
		{"rate limit", 429, "", "", errorBody("rate_limit_exceeded"), Pressure},
		{"rate limit without a body", 429, "", "", "", Pressure},
		{"quota used up", 429, "", "", errorBody("insufficient_quota"), Exhausted},
		{"billing limit", 429, "", "", errorBody("billing_hard_limit_reached"), Exhausted},
		{"credit", 400, "", "", errorBody("credit_balance_exhausted"), Exhausted},
		{"a spend limit", 429, "", "", errorBody("project_spend_limit_exceeded"), Exhausted},
		{"an organization's", 429, "", "", errorBody("organization_usage_limit_exceeded"), Exhausted},
		{"Anthropic's", 400, "", "", errorBody("enforced_spend_limit_reached"), Exhausted},
		{"payment required", 402, "", "", "", Exhausted},
		{"payment, later", 402, "Retry-After", "3", "", Pressure},
		{"larger than the limit", 429, "", "", `{"error":{"message":"Limit 30000, Requested 40960."}}`, Refused},
		{"no room now", 429, "", "", `{"error":{"message":"Limit 30000, Used 29000, Requested 4096."}}`, Pressure},
		{"told not to retry", 500, "X-Should-Retry", "false", "", Refused},
		{"told not to retry a wrong key", 401, "X-Should-Retry", "false", "", Fatal},
		{"told to retry", 400, "X-Should-Retry", "true", "", Transient},
		{"Anthropic's overload", 529, "", "", "", Pressure},
		{"overload with a hint", 503, "Retry-After", "1", "", Pressure},
		{"overload with a code", 503, "", "", errorBody("overloaded"), Pressure},
		{"unavailable", 503, "", "", "", Transient},
		{"server error", 500, "", "", "", Transient},
		{"bad gateway", 502, "", "", "<html>", Transient},
		{"gateway time-out", 504, "", "", "", Transient},
		{"request time-out", 408, "", "", "", Transient},
		{"conflict", 409, "", "", "", Transient},
		{"wrong key", 401, "", "", "", Fatal},
		{"forbidden", 403, "", "", "", Fatal},
		{"moderation", 403, "", "", errorBody("moderation_blocked"), Refused},
		{"redirect", 307, "", "", "", Fatal},
		{"bad request", 400, "", "", errorBody("invalid_value"), Refused},
		{"unknown model", 404, "", "", errorBody("model_not_found"), Refused},
		{"too large", 413, "", "", "", Refused},
		{"unprocessable", 422, "", "", "", Refused},
	} {
		r := Reply{Status: c.status, Header: http.Header{}, Body: []byte(c.body)}
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		r.judge(record.Chat)
		if r.Class != c.want {
			t.Errorf("%s: %v, want %v", c.name, r.Class, c.want)
		}
		if (r.Err == nil) != (c.want == OK) || r.Err != nil && (r.Err.Message == "" || r.Err.Status != c.status) {
			t.Errorf("%s: error %+v", c.name, r.Err)
		}
	}
}

func TestHint(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		name   string
		header map[string]string
		body   string
		want   time.Duration
	}{
		{"nothing", nil, "", 0},
		{"milliseconds first", map[string]string{"Retry-After-Ms": "1500", "Retry-After": "9"}, "", 1500 * time.Millisecond},
		{"seconds", map[string]string{"Retry-After": "20"}, "try again in 1s", 20 * time.Second},
		{"fractions", map[string]string{"Retry-After": "0.5"}, "", 500 * time.Millisecond},
		{"a date", map[string]string{"Retry-After": "Fri, 02 Jan 2026 03:05:05 GMT"}, "", time.Minute},
		{"more than a clock counts", map[string]string{"Retry-After": "99999999999"}, "", longest},
		{"more milliseconds than that", map[string]string{"Retry-After-Ms": "1e30"}, "", longest},
		{"a date that is over", map[string]string{"Retry-After": "Fri, 02 Jan 2026 03:00:00 GMT"}, "", 0},
		{"OpenAI's body", nil, `{"error":{"message":"Please try again in 41.7s. Visit"}}`, 41700 * time.Millisecond},
		{"minutes in the body", nil, "try again in 1m30.5s.", 90500 * time.Millisecond},
		{"milliseconds in the body", nil, "Please try again in 350ms.", 350 * time.Millisecond},
		{"Azure's body", nil, "Please retry after 6 seconds.", 6 * time.Second},
		{"Gemini's body", nil, `{"details":[{"retryDelay": "37s"}]}`, 37 * time.Second},
		{"the latest reset", map[string]string{"X-Ratelimit-Reset-Requests": "1s", "X-Ratelimit-Reset-Tokens": "2m59.56s"}, "",
			179560 * time.Millisecond},
		{"what is left is not what was hit", map[string]string{
			"X-Ratelimit-Reset-Requests": "6m0s", "X-Ratelimit-Remaining-Requests": "7",
			"X-Ratelimit-Reset-Tokens": "12ms", "X-Ratelimit-Remaining-Tokens": "0",
		}, "", 12 * time.Millisecond},
		{"Anthropic's reset", map[string]string{"Anthropic-Ratelimit-Tokens-Reset": "2026-01-02T03:04:15Z"}, "", 10 * time.Second},
	} {
		h := http.Header{}
		for k, v := range c.header {
			h.Set(k, v)
		}
		if got := hint(h, []byte(c.body), now); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestExposed(t *testing.T) {
	for url, want := range map[string]bool{
		"https://api.example.com/v1": false, "http://api.example.com/v1": true, "http://192.168.1.2:8000/v1": true,
		"http://localhost:11434/v1": false, "http://127.0.0.1/v1": false, "http://[::1]:8080/v1": false, "http://a.localhost/": false,
		"http://localhost.example.com/v1": true, "sim:": false,
	} {
		if got := Exposed(url); got != want {
			t.Errorf("%s: %t", url, got)
		}
	}
}
