package provider

import (
	"net/url"
	"strings"
)

// Shown returns an address for people, without what may be secret in it: the user name and
// password, and everything after the path. The address need not be a valid URL.
func Shown(address string) string {
	if end := strings.IndexAny(address, "?#"); end >= 0 && !strings.HasPrefix(address, "sim:") {
		address = address[:end] + "?…"
	}
	before, rest, ok := strings.Cut(address, "//")
	if !ok {
		before, rest = "", address
	} else {
		before += "//"
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "…" + rest[at:]
	}
	return before + rest
}

// secretsIn returns the values in a base URL's query whose names suggest that they are secret. Some
// providers take their key there.
func secretsIn(query url.Values) (secrets []string) {
	for name, values := range query {
		for _, word := range []string{"key", "token", "secret", "password", "sig", "auth"} {
			if strings.Contains(strings.ToLower(name), word) {
				secrets = append(secrets, values...)
				break
			}
		}
	}
	return secrets
}
