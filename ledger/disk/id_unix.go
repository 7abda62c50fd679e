//go:build unix

package disk

import (
	"os"
	"syscall"
)

func idOf(_ *os.File, info os.FileInfo) (ID, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ID{}, false
	}
	return ID{Device: uint64(stat.Dev), Inode: stat.Ino}, true
}
