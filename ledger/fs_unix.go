//go:build unix

package ledger

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes the whole file's advisory lock, which the kernel gives back when the process dies.
func lock(f *os.File) error {
	return flock(f, unix.LOCK_EX)
}

func unlock(f *os.File) error {
	return flock(f, unix.LOCK_UN)
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("flock", err)
		}
	}
}

// SyncDir makes the names in a directory durable, a new ledger's among them.
func (Disk) SyncDir(name string) (err error) {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = both(err, dir.Close()) }()
	return dir.Sync()
}
