package ui

import (
	"strings"
	"unicode"
)

// Printable keeps what a provider says from moving the cursor of a terminal, or worse. It is for
// what stands within a line.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return '?'
	}, s)
}

// PrintableLines does the same to a text of several lines.
func PrintableLines(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) || r == '\n' || r == '\t' {
			return r
		}
		return '?'
	}, s)
}
