//go:build unix

package ui

import (
	"os"

	"golang.org/x/sys/unix"
)

// nullForBoth reports whether f is the null device, open for reading and writing: what Go's runtime
// opens in the place of a closed stdin, stdout or stderr (runtime.checkfds), and no shell's < or >.
func nullForBoth(f *os.File) bool {
	null, err := os.Stat(os.DevNull)
	if err != nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && os.SameFile(null, info) && access(f) == unix.O_RDWR
}

func readable(f *os.File) bool { return access(f) != unix.O_WRONLY }

func writable(f *os.File) bool { return access(f) != unix.O_RDONLY }

// access is what f was opened for: O_RDONLY, O_WRONLY or O_RDWR; -1 where that cannot be told.
func access(f *os.File) int {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return -1
	}
	return flags & unix.O_ACCMODE
}
