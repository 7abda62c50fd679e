package limiter

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// daily is the reset beyond which a limit is not a minute's. Groq and some
// others put the requests of a day under the names that OpenAI uses for those
// of a minute.
const daily = 5 * time.Minute

// Window is one limit as headers tell it. The zero Window tells nothing.
type Window struct {
	Limit     int           // a minute; 0: not told
	Remaining int           // of the minute
	Known     bool          // Remaining was told
	Reset     time.Duration // until all of it is there again; 0: not told
}

// Quota is what one answer's headers say. Tokens counts prompt and completion
// together (OpenAI), Input and Output count them apart (Anthropic).
type Quota struct {
	Requests Window
	Tokens   Window
	Input    Window
	Output   Window
}

// ParseQuota reads the x-ratelimit headers (OpenAI, Azure, Groq and those that
// follow them) and the anthropic-ratelimit ones. What is not there, or cannot
// be read, is left out, and so are limits by the day. It allocates nothing.
func ParseQuota(h http.Header, now time.Time) Quota {
	q := Quota{
		Requests: window(h, "X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests", now),
		Tokens:   window(h, "X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens", now),
	}
	if q.Requests != (Window{}) || q.Tokens != (Window{}) {
		return q
	}
	q = Quota{
		Requests: window(h, "Anthropic-Ratelimit-Requests-Limit", "Anthropic-Ratelimit-Requests-Remaining",
			"Anthropic-Ratelimit-Requests-Reset", now),
		Input: window(h, "Anthropic-Ratelimit-Input-Tokens-Limit", "Anthropic-Ratelimit-Input-Tokens-Remaining",
			"Anthropic-Ratelimit-Input-Tokens-Reset", now),
		Output: window(h, "Anthropic-Ratelimit-Output-Tokens-Limit", "Anthropic-Ratelimit-Output-Tokens-Remaining",
			"Anthropic-Ratelimit-Output-Tokens-Reset", now),
	}
	if q.Input.Limit == 0 && q.Output.Limit == 0 {
		// Beside the other two this one only repeats the tighter of them.
		q.Tokens = window(h, "Anthropic-Ratelimit-Tokens-Limit", "Anthropic-Ratelimit-Tokens-Remaining",
			"Anthropic-Ratelimit-Tokens-Reset", now)
	}
	return q
}

// window reads one family of headers, by their canonical keys.
func window(h http.Header, limit, remaining, reset string, now time.Time) (w Window) {
	if n, ok := count(h, limit); ok {
		w.Limit = n
	}
	w.Remaining, w.Known = count(h, remaining)
	if w.Limit == 0 && !w.Known {
		return Window{}
	}
	if v := h[reset]; len(v) > 0 {
		w.Reset, _ = ParseReset(v[0], now)
	}
	if w.Reset > daily {
		return Window{}
	}
	return w
}

func count(h http.Header, key string) (int, bool) {
	v := h[key]
	if len(v) == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(v[0])
	if err != nil || n < 0 {
		return 0, false
	}
	return n, true
}

// ParseReset reads how long until a limit resets, in each of the formats that
// providers use: a duration (1s, 6m0s, 12ms, 2m59.56s), seconds (20, 0.5),
// a date and time (RFC 3339) or an HTTP date. A moment that has passed is 0.
func ParseReset(s string, now time.Time) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, false
	}
	if c := s[len(s)-1]; c >= '0' && c <= '9' || c == '.' {
		if seconds, err := strconv.ParseFloat(s, 64); err == nil {
			return seconded(seconds)
		}
	}
	if d, err := time.ParseDuration(s); err == nil {
		return max(0, d), true
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return max(0, t.Sub(now)), true
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, t.Sub(now)), true
	}
	return 0, false
}

// seconded returns a number of seconds as a duration, or the longest duration if there is none that
// long.
func seconded(seconds float64) (time.Duration, bool) {
	switch {
	case math.IsNaN(seconds):
		return 0, false
	case seconds >= 9e9: // 285 years, nearly the longest duration there is
		return math.MaxInt64, true
	}
	return time.Duration(math.Ceil(max(0, seconds) * 1e9)), true
}
