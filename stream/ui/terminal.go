package ui

import (
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether f is a terminal. A person would have to type there what should be
// piped in.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// IsPipe reports whether another program reads what is written to f.
func IsPipe(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}
