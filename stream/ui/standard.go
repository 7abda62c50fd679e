package ui

import (
	"errors"
	"os"
)

// Standard returns stdin and stdout as the process got them. If one of them was closed, it returns
// a closed file: Go opens the null device instead, where answers would vanish without an error. A
// file that a shell closed (>&-) can be told from a null device that another program opened in the
// same way, as Python's DEVNULL and Node's "ignore" do: see shut.
func Standard(stdin, stdout, stderr *os.File) (in, out *os.File) {
	if nullForBoth(stderr) { // a daemon, which was given the null device for all three
		return stdin, stdout
	}
	if nullForBoth(stdin) && shut(0) || !readable(stdin) {
		stdin = closed()
	}
	if nullForBoth(stdout) && shut(1) || !writable(stdout) {
		stdout = closed()
	}
	return stdin, stdout
}

// closed returns a file that is closed. The file that it replaces stays open, because its number
// would otherwise go to another file.
func closed() *os.File {
	f, err := os.Open(os.DevNull)
	if err == nil {
		_ = f.Close() // nothing was written to it
	}
	return f
}

// CheckStdin returns an error if f was closed when the process began, and nil otherwise.
func CheckStdin(f *os.File) error {
	return checkOpen(f, "stdin is closed: there is nothing to read", "name files as arguments, or pipe records in")
}

// CheckStdout returns an error if f was closed when the process began, and nil otherwise.
func CheckStdout(f *os.File) error {
	return checkOpen(f, "stdout is closed: there is nowhere to write to",
		"add > FILE to keep the output, or > "+os.DevNull+" to throw it away")
}

func checkOpen(f *os.File, says, hint string) error {
	if _, err := f.Stat(); errors.Is(err, os.ErrClosed) || errors.Is(err, os.ErrInvalid) { // invalid: a nil f
		return WithHint(hint, errors.New(says))
	}
	return nil
}
