package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// allocateBehind allocates blocks after a file's end and leaves its size unchanged: see
// fallocate(2), FALLOC_FL_KEEP_SIZE. It is false if the file system cannot do that, as NFS before
// 4.2, ZFS, and many in user space. After an error, a part of the blocks may be allocated.
func allocateBehind(f *os.File, end, size int64) (bool, error) {
	for {
		err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, end, size)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL):
			return false, nil
		}
		return true, os.NewSyscallError("fallocate", err)
	}
}
