package ui

import (
	"os"

	"golang.org/x/sys/windows"
)

// drawable makes the console understand control sequences, and reports whether it does.
func drawable(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}

// printedTo reports whether another program may print to a terminal. The system does not tell, so
// it assumes one.
func printedTo(*os.File) bool { return true }

// taken reports whether another program has the terminal for itself. The system does not tell.
func taken(*os.File) bool { return false }
