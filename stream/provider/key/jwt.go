package key

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"time"
)

// IsToken reports whether a key is a token that another service has issued and that is sent as a
// bearer token: a JWT, or the token from a login at Anthropic (sk-ant-oat…).
func IsToken(text string) bool {
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2 || strings.HasPrefix(text, "sk-ant-oat")
}

// lifeOf returns when a JWT was issued and when it expires (RFC 7519, sections 4.1.4 and 4.1.6). ok
// is false if text is not a JWT or does not say when it expires. begins is zero if the JWT does not
// say when it was issued.
func lifeOf(text string) (begins, ends time.Time, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return begins, ends, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return begins, ends, false
	}
	var claims struct {
		Expires float64 `json:"exp"`
		Issued  float64 `json:"iat"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Expires <= 0 {
		return begins, ends, false
	}
	if claims.Issued > 0 {
		begins = moment(claims.Issued)
	}
	return begins, moment(claims.Expires), true
}

// moment converts a NumericDate: seconds, perhaps with a fraction.
func moment(seconds float64) time.Time {
	whole, part := math.Modf(min(seconds, 1e11))
	return time.Unix(int64(whole), int64(part*1e9))
}
