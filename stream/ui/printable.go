package ui

import (
	"strings"
	"unicode"
)

// Printable replaces control characters by question marks, so that a provider's text cannot move
// the cursor of a terminal, or worse. It is for text within a line.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return '?'
	}, s)
}

// PrintableLines is [Printable] for a text of several lines.
func PrintableLines(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) || r == '\n' || r == '\t' {
			return r
		}
		return '?'
	}, s)
}
