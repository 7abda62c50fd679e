package limiter

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

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

// seconded is a number of seconds as a duration, the longest one if there is
// none that long.
func seconded(seconds float64) (time.Duration, bool) {
	switch {
	case math.IsNaN(seconds):
		return 0, false
	case seconds >= 9e9: // 285 years, nearly the longest duration there is
		return math.MaxInt64, true
	}
	return time.Duration(math.Ceil(max(0, seconds) * 1e9)), true
}
