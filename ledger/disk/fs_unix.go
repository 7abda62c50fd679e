//go:build unix

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes the whole file's advisory lock, which the kernel releases when the process dies.
func lock(f *os.File) error {
	return flock(f, unix.LOCK_EX)
}

// tryLock is lock without waiting.
func tryLock(f *os.File) (bool, error) {
	err := flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

func unlock(f *os.File) error {
	return flock(f, unix.LOCK_UN)
}

func flock(f *os.File, how int) error {
	for {
		switch err := unix.Flock(int(f.Fd()), how); {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EBADF) && how&unix.LOCK_EX != 0:
			// NFS gives an exclusive lock only on a file that is open for writing: flock(2). On one that is
			// open for reading, a shared lock keeps writers out as well.
			how = how&^unix.LOCK_EX | unix.LOCK_SH
		default:
			return lockError(err)
		}
	}
}

// lockError says why flock failed.
func lockError(err error) error {
	said := os.NewSyscallError("flock", err)
	if errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("%w: %w", ErrNoLocks, said)
	}
	return said
}

// RemoveLocked removes the name of a locked file, then releases the lock: a process that opened the
// file meanwhile finds that it no longer has a name.
func RemoveLocked(fsys FS, name string, file File) error {
	return Both(fsys.Remove(name), file.Close())
}

// SyncDir makes the names in a directory durable, including a new ledger's. It is no error if the
// directory may not be read, or if the file system cannot sync directories.
func (OS) SyncDir(name string) error {
	dir, err := os.Open(name)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		err = nil
	}
	return Both(err, dir.Close())
}
