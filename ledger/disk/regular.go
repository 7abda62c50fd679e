package disk

import (
	"errors"
	"io/fs"
	"strings"
)

// ErrNotRegular is in the error of what is no regular file where one is needed: it is written to, or
// read more than once.
var ErrNotRegular = errors.New("not a regular file")

// CheckRegular refuses what is no regular file, before it is opened: to open a FIFO is to wait for
// who is at its other end. Of what is not there, or may not be looked at, the open says why.
func CheckRegular(fsys FS, path string) error {
	info, err := fsys.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		return nil
	}
	return &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
}

// Inherited reports whether path names a file that the process was started with, as /dev/stdin does
// and what a shell makes of <(COMMAND). Of a pipe that is open already there is something to read.
func Inherited(path string) bool {
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}
