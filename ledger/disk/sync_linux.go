package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncData does not write the inode's times, which fsync would write as well.
func syncData(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
