//go:build linux || darwin

package flow

import (
	"os"
	"syscall"
)

// TemporaryFree is how many bytes are free for temporary files. known is false if the system does
// not say.
func TemporaryFree() (bytes int64, known bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(os.TempDir(), &s) != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
