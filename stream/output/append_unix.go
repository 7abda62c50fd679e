//go:build unix

package output

import (
	"os"

	"golang.org/x/sys/unix"
)

// appendsToContent reports whether f holds something already and writes are appended to it, as with
// the shell's >>.
func appendsToContent(f *os.File) bool {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	info, statErr := f.Stat()
	return err == nil && statErr == nil && flags&unix.O_APPEND != 0 && info.Mode().IsRegular() && info.Size() > 0
}
