package ui

import (
	"strings"
	"unicode"
)

// Printable keeps what a provider says from moving the cursor of a terminal, or worse.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
