package flags

import "strings"

// isHeaderName reports whether s is a token, as a header's name must be (RFC 9110, section 5.6.2).
// With any other name, net/http refuses every request, which looks like a network failure.
func isHeaderName(s string) bool {
	const punctuation = "!#$%&'*+-.^_`|~"
	notToken := func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune(punctuation, c)
	}
	return s != "" && !strings.ContainsFunc(s, notToken)
}

// isHeaderValue reports whether s has no control characters except tabs, for the same reason.
func isHeaderValue(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
