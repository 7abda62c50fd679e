package disk

import (
	"errors"
	"io/fs"
	"strings"
)

// ErrNotRegular is in the error for something that is not a regular file where one is needed,
// because it is written to or read more than once.
var ErrNotRegular = errors.New("not a regular file")

// CheckRegular refuses anything but a regular file before it is opened: opening a FIFO would wait
// for a process at its other end. It does not refuse a file that is missing or may not be examined;
// opening it says why.
func CheckRegular(fsys FS, path string) error {
	info, err := fsys.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		return nil
	}
	return &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
}

// Inherited reports whether path names a file that the process was started with, such as
// /dev/stdin, or what a shell makes of <(COMMAND). Such a pipe is open already, so opening it does
// not wait.
func Inherited(path string) bool {
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}
