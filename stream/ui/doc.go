// Package ui is everything that llmpipe shows to people: messages with their hints, the status line
// and the other ways to show progress, the summary of a run, and numbers in words. It also knows
// what a terminal can do.
package ui
