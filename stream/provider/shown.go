package provider

import (
	"net/url"
	"strings"
)

// Shown is an address for people: without what may be secret in it, which is a user's name and
// password and all that is behind the path. It need not be a URL that can be used.
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

// secretsIn are those values of a base URL's query whose names say that they are secret, as where a
// provider takes its key there.
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
