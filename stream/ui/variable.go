package ui

import "strings"

// IsVariableName reports whether s looks like the name of an environment variable, such as NAME_2,
// and so can be shown.
func IsVariableName(s string) bool {
	const most = 40 // a token may be capital letters too, but longer
	odd := func(c rune) bool { return (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' }
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, odd)
}
