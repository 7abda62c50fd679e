//go:build unix

package ui

import (
	"os"

	"golang.org/x/sys/unix"
)

// drawable reports whether the terminal understands control sequences: on Unix they all do.
func drawable(*os.File) bool { return true }

// taken reports whether another program has the terminal for itself, and gets each key as it is
// pressed: a pager, an editor, or the shell, whose prompt is there while this process is in the
// background.
func taken(terminal *os.File) bool {
	t, err := unix.IoctlGetTermios(int(terminal.Fd()), getTermios)
	return err == nil && t.Lflag&unix.ICANON == 0
}
