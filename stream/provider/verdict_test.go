package provider

import (
	"net/http"
	"testing"

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
		r.judge(record.Chat, []byte("{}"), room{})
		if r.Class != c.want {
			t.Errorf("%s: %v, want %v", c.name, r.Class, c.want)
		}
		if (r.Err == nil) != (c.want == OK) || r.Err != nil && (r.Err.Message == "" || r.Err.Status != c.status) {
			t.Errorf("%s: error %+v", c.name, r.Err)
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
