//go:build unix

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes the whole file's advisory lock, which the kernel gives back when the process dies.
func lock(f *os.File) error {
	return flock(f, unix.LOCK_EX)
}

// tryLock is lock without the waiting.
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
			// NFS locks exclusively only what is open for writing: flock(2). What is open for reading
			// keeps writers out by a shared lock as well.
			how = how&^unix.LOCK_EX | unix.LOCK_SH
		default:
			return lockError(err)
		}
	}
}

// lockError is why flock gave no lock.
func lockError(err error) error {
	said := os.NewSyscallError("flock", err)
	if errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("%w: %w", ErrNoLocks, said)
	}
	return said
}

// RemoveLocked takes away the name of a locked file, then gives the lock back: who opened the file
// meanwhile finds that it has no name any more.
func RemoveLocked(fsys FS, name string, file File) error {
	return Both(fsys.Remove(name), file.Close())
}

// SyncDir makes the names in a directory durable, a new ledger's among them. A directory that may
// not be read and a file system that syncs no directories are no reason not to write in them.
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
