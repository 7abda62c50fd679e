//go:build unix

package disk

import (
	"os"
	"strconv"
	"syscall"
)

func idOf(_ *os.File, info os.FileInfo) (ID, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ID{}, false
	}
	return ID{Device: uint64(stat.Dev), Inode: stat.Ino}, true
}

// Reopen opens f, which is open for writing only, a second time for reading, if the system has a
// name for open files.
func Reopen(f *os.File) (*os.File, error) { return os.Open("/dev/fd/" + strconv.Itoa(int(f.Fd()))) }
