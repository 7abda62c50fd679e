package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// LockFile is an empty file of mode 0600 whose lock shows that its holder is alive. The lock ends
// with Release or with the process.
type LockFile struct {
	fs   FS
	name string
	file File
}

// ErrNoLocks is in the error for a file system that has no locks, such as NFS without its lock
// daemon, or Lustre that was mounted without them.
var ErrNoLocks = errors.New("its file system does not support locks")

// errNameless is returned if the locked file no longer has its name: the lock is then useless, as
// the next process creates another file of that name.
var errNameless = errors.New("the locked file was removed")

// TryLockFile creates the file and takes its lock. It does not wait: if the lock has another
// holder, in this process or another, the lock and the error are nil.
func TryLockFile(fsys FS, name string) (*LockFile, error) {
	k := &LockFile{fs: fsys, name: name}
	for {
		held, err := k.try()
		switch {
		case errors.Is(err, errNameless): // its last holder removed the file between our opening and locking it
		case err != nil:
			return nil, err
		case !held:
			return nil, nil
		default:
			return k, nil
		}
	}
}

// Abandoned reports whether nobody holds the lock of a file, and then removes the file; it is also
// true if there is no file. It is false if that cannot be found out.
func Abandoned(fsys FS, name string) bool {
	k := LockFile{fs: fsys, name: name}
	var err error
	k.file, err = fsys.OpenFile(name, os.O_RDWR, 0)
	readOnly := errors.Is(err, fs.ErrPermission)
	if readOnly {
		k.file, err = fsys.OpenFile(name, os.O_RDONLY, 0)
	}
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	held, err := k.file.TryLock()
	if err != nil || !held {
		_ = k.file.Close() // nothing was written
		return false
	}
	_ = k.Release(!readOnly && k.named() == nil) // a file that stays does no harm
	return true
}

// try opens and locks the file. If the lock is useless, it releases it and returns errNameless.
func (k *LockFile) try() (held bool, err error) {
	k.file, err = k.fs.OpenFile(k.name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	if held, err = k.file.TryLock(); err != nil || !held {
		return false, Both(err, k.file.Close())
	}
	if err = k.named(); err != nil {
		return false, Both(err, k.file.Close())
	}
	return true, nil
}

// named returns errNameless if the name no longer belongs to the locked file.
func (k *LockFile) named() error {
	locked, err := k.file.Stat()
	if err != nil {
		return err
	}
	named, err := k.fs.Stat(k.name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(locked, named) {
		return errNameless
	}
	return err
}

// Release releases the lock. With remove it also removes the file. A file that stays, after a crash
// or because another process was just looking at it, does no harm.
func (k *LockFile) Release(remove bool) error {
	var err error
	if remove {
		if err = RemoveLocked(k.fs, k.name, k.file); errors.Is(err, fs.ErrNotExist) {
			err = nil // another process has removed it
		}
	} else {
		err = k.file.Close()
	}
	if err != nil {
		return fmt.Errorf("releasing %s: %w", k.name, err)
	}
	return nil
}
