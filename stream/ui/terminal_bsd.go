//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package ui

import (
	"os"

	"golang.org/x/sys/unix"
)

const getTermios = unix.TIOCGETA

// printedTo reports whether another program may print to a terminal. The system does not tell, so
// it assumes one.
func printedTo(*os.File) bool { return true }
