package provider

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// hint returns how long the provider asks us to wait: retry-after-ms, retry-after, "try again in 41.7s" in the body, else the
// latest reset among the rate-limit headers that are used up. 0 when it says nothing.
func hint(h http.Header, body []byte, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return times(ms, time.Millisecond)
	}
	if d, ok := parseWait(h.Get("Retry-After"), now); ok {
		return d
	}
	if d, ok := waitInBody(body); ok {
		return d
	}
	return latestReset(h, now)
}

// parseWait reads a wait as providers write it: seconds ("20", "1.5"), a Go-like duration ("6m0s", "12ms"), an HTTP date or
// RFC 3339. Waits that are over count as none.
func parseWait(s string, now time.Time) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return positive(times(seconds, time.Second))
	}
	if d, err := time.ParseDuration(s); err == nil {
		return positive(d)
	}
	if t, err := http.ParseTime(s); err == nil {
		return positive(t.Sub(now))
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return positive(t.Sub(now))
	}
	return 0, false
}

// longest is the longest wait that is told apart from a longer one.
const longest = 10 * 365 * 24 * time.Hour

// times is n units, at most longest: more may be more than a Duration holds.
func times(n float64, unit time.Duration) time.Duration {
	return time.Duration(min(n*float64(unit), float64(longest)))
}

func positive(d time.Duration) (time.Duration, bool) { return max(d, 0), d > 0 }

// The words that come before a wait in the bodies of OpenAI, Azure, Groq ("try again in", "retry after 6 seconds") and Gemini
// (RetryInfo's retryDelay).
var waitWords = []string{"try again in ", "retry after ", "retry in ", `"retrydelay": "`, `"retrydelay":"`}

func waitInBody(body []byte) (time.Duration, bool) {
	lower := bytes.ToLower(body[:min(len(body), 8<<10)])
	for _, words := range waitWords {
		_, rest, ok := bytes.Cut(lower, []byte(words))
		if !ok {
			continue
		}
		if d, ok := leadingDuration(string(rest[:min(len(rest), 32)])); ok {
			return d, true
		}
	}
	return 0, false
}

// leadingDuration reads "41.7s", "1m30.5s", "350ms" or "6 seconds" from the start of s.
func leadingDuration(s string) (time.Duration, bool) {
	end := 0
	for end < len(s) && strings.IndexByte("0123456789.hmsu", s[end]) >= 0 {
		end++
	}
	token := strings.TrimRight(s[:end], ".")
	if d, err := time.ParseDuration(token); err == nil {
		return positive(d)
	}
	n, err := strconv.ParseFloat(token, 64)
	if err != nil {
		return 0, false
	}
	unit := time.Second
	switch rest := strings.TrimLeft(s[end:], " "); {
	case strings.HasPrefix(rest, "min"):
		unit = time.Minute
	case strings.HasPrefix(rest, "hour"):
		unit = time.Hour
	case strings.HasPrefix(rest, "day"):
		unit = 24 * time.Hour
	case strings.HasPrefix(rest, "ms"), strings.HasPrefix(rest, "milli"):
		unit = time.Millisecond
	}
	return positive(times(n, unit))
}

// resets pairs each header that says when a limit is whole again with the one that says what is left of it.
var resets = [...]struct{ reset, remaining string }{
	{"X-Ratelimit-Reset-Requests", "X-Ratelimit-Remaining-Requests"},
	{"X-Ratelimit-Reset-Tokens", "X-Ratelimit-Remaining-Tokens"},
	{"Anthropic-Ratelimit-Requests-Reset", "Anthropic-Ratelimit-Requests-Remaining"},
	{"Anthropic-Ratelimit-Input-Tokens-Reset", "Anthropic-Ratelimit-Input-Tokens-Remaining"},
	{"Anthropic-Ratelimit-Output-Tokens-Reset", "Anthropic-Ratelimit-Output-Tokens-Remaining"},
	{"Anthropic-Ratelimit-Tokens-Reset", "Anthropic-Ratelimit-Tokens-Remaining"},
}

// latestReset returns the longest wait among the limits of which nothing is left. A limit with something left is not what we hit.
func latestReset(h http.Header, now time.Time) time.Duration {
	var latest time.Duration
	for _, r := range resets {
		if left := h.Get(r.remaining); left != "" && left != "0" {
			continue
		}
		if d, ok := parseWait(h.Get(r.reset), now); ok {
			latest = max(latest, d)
		}
	}
	return latest
}
