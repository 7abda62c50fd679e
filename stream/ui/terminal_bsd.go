//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package ui

import (
	"os"

	"golang.org/x/sys/unix"
)

const getTermios = unix.TIOCGETA

// printedTo reports whether another program may print to a terminal: nobody says, so one may.
func printedTo(*os.File) bool { return true }
