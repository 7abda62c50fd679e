//go:build unix

package ledger

import (
	"os"
	"syscall"
)

func fileID(_ *os.File, info os.FileInfo) (FileID, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return FileID{}, false
	}
	return FileID{Device: uint64(stat.Dev), Inode: stat.Ino}, true
}
