package hint

import (
	"net/http"
	"testing"
	"time"
)

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
		{"more than anybody means", map[string]string{"Retry-After": "99999999999"}, "", 0},
		{"more milliseconds than that", map[string]string{"Retry-After-Ms": "1e30"}, "", 0},
		{"a day", map[string]string{"Retry-After": "86400"}, "", 24 * time.Hour},
		{"more than a day", map[string]string{"Retry-After": "86401"}, "", 0},
		{"more than a day, and less in the body", map[string]string{"Retry-After": "604800"}, "try again in 5s", 5 * time.Second},
		{"a date next week", map[string]string{"Retry-After": "Fri, 09 Jan 2026 03:04:05 GMT"}, "", 7 * 24 * time.Hour},
		{"a Unix time", map[string]string{"Retry-After": "1767323105"}, "", time.Minute},
		{"a Unix time in milliseconds", map[string]string{"X-Ratelimit-Reset": "1767323105000"}, "", time.Minute},
		{"a Unix time in microseconds", map[string]string{"X-Ratelimit-Reset": "1767323105000000"}, "", time.Minute},
		{"a Unix time that is over", map[string]string{"X-Ratelimit-Reset-Requests": "1767323000"}, "", 0},
		{"by the server's clock", map[string]string{"Date": "Fri, 02 Jan 2026 04:00:00 GMT", "Retry-After": "Fri, 02 Jan 2026 04:00:09 GMT"},
			"", 9 * time.Second},
		{"another header", map[string]string{"X-Retry-After": "4"}, "", 4 * time.Second},
		{"Azure's milliseconds", map[string]string{"X-Ms-Retry-After-Ms": "250"}, "", 250 * time.Millisecond},
		{"Azure's other spelling", map[string]string{"X-Rate-Limit-Reset-Tokens": "5", "X-Ratelimit-Remaining-Requests": "47"}, "",
			5 * time.Second},
		{"no limit in particular", map[string]string{"X-Ratelimit-Reset": "30", "X-Ratelimit-Remaining": "0"}, "", 30 * time.Second},
		{"IETF's fields", map[string]string{"Ratelimit-Reset": "12"}, "", 12 * time.Second},
		{"IETF's field", map[string]string{"Ratelimit": "limit=10, remaining=0, reset=7"}, "", 7 * time.Second},
		{"IETF's newer field", map[string]string{"Ratelimit": `"default";r=0;t=8`, "Ratelimit-Policy": `"default";q=10;w=60`}, "",
			8 * time.Second},
		{"Cerebras by the day", map[string]string{"X-Ratelimit-Reset-Requests-Day": "33011.4", "X-Ratelimit-Remaining-Requests-Day": "0"}, "",
			33011400 * time.Millisecond},
		{"Azure counts nothing", map[string]string{"X-Ratelimit-Reset-Tokens": "3", "X-Ratelimit-Remaining-Tokens": "-1"}, "", 0},
		{"after instead of in", nil, `{"error":{"message":"Try again after 20 seconds."}}`, 20 * time.Second},
		{"after, in minutes and seconds", nil, "Please retry after 2 minutes and 5 seconds.", 125 * time.Second},
		{"wait", nil, "Rate limit of 50 per 86400s exceeded. Please wait 39000 seconds before retrying.", 39000 * time.Second},
		{"about", nil, "try again in about 5 minutes", 5 * time.Minute},
		{"a date to the microsecond", nil, "resets at 2026-01-02T03:05:05.123456Z, so", 60*time.Second + 123456*time.Microsecond},
		{"a header of words", map[string]string{"Retry-After": "5 seconds"}, "", 5 * time.Second},
		{"a header of a gateway's", map[string]string{"X-Ratelimit-Retry-After": "6"}, "", 6 * time.Second},
		{"Discord's header", map[string]string{"X-Ratelimit-Reset-After": "1.5"}, "", 1500 * time.Millisecond},
		{"wait for nothing in particular", nil, "please wait a while", 0},
		{"a date in the body", nil, "Limit resets at: 2026-01-02 03:04:35 UTC. Please retry after 2026-01-02 03:04:35 UTC", 30 * time.Second},
		{"an hour that is over", nil, "Please retry after 2026-01-02 03:00:00 UTC", 0},
		{"a date as RFC 3339 has it", nil, "Quota resets at 2026-01-02T03:05:05Z.", time.Minute},
		{"another zone", nil, "try again at 2026-01-02T04:05:05+01:00", time.Minute},
		{"a day of a month", nil, "Please retry after 27 January", 0},
		{"a clock", nil, "Out of call volume quota. Quota will be replenished in 02:12:34.", 2*time.Hour + 12*time.Minute + 34*time.Second},
		{"a member", nil, `{"error":{"message":"m","retry_after":17}}`, 17 * time.Second},
		{"a member in milliseconds", nil, `{"retryAfterMs": 1500}`, 1500 * time.Millisecond},
		{"a member with a date", nil, `{"error":{"resets_at":"2026-01-02T03:05:05.000Z"}}`, time.Minute},
		{"a member with an HTTP date", nil, `{"retry_at":"Fri, 02 Jan 2026 03:05:05 GMT"}`, time.Minute},
		{"a member with a Unix time", nil, `{"error":{"type":"usage_limit_reached","resets_at":1767323105}}`, time.Minute},
		{"OpenRouter's headers in the body", nil, `{"metadata":{"headers":{"X-RateLimit-Reset":"1767323105000"}}}`, time.Minute},
		{"a duration in parts", nil, `{"retryDelay":{"seconds":37}}`, 37 * time.Second},
		{"quoted in a message", nil, `{"message":"{\"error\":{\"retryDelay\": \"37s\"}}"}`, 37 * time.Second},
		{"a member that is null", nil, `{"retry_after":null,"x":3}`, 0},
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
		if got := Of(h, []byte(c.body), now); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
