//go:build unix

package ui

import "os"

// drawable reports whether the terminal understands control sequences: on Unix they all do.
func drawable(*os.File) bool { return true }
