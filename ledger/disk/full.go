package disk

import (
	"errors"
	"runtime"
	"syscall"
)

// IsFull reports whether an error says that there is no space: on the disk, within a quota, or
// below the limit for a file's size.
func IsFull(err error) bool {
	const windowsDiskFull = syscall.Errno(112) // ERROR_DISK_FULL, winerror.h
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) ||
		runtime.GOOS == "windows" && errors.Is(err, windowsDiskFull)
}
