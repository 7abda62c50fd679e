// Package ui is what people read of llmpipe: messages with their hints, the status line and the
// ways to show progress, the summary of a run, numbers in words, and what a terminal can do.
package ui
