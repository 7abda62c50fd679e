package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// The lock is on one byte far beyond any ledger's end: a lock on bytes that exist would keep others
// from reading them.
const lockOffsetHigh = 0x7fffffff

func lock(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: lockOffsetHigh}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &at)
	return os.NewSyscallError("LockFileEx", err)
}

// tryLock is lock without waiting.
func tryLock(f *os.File) (bool, error) {
	at := windows.Overlapped{OffsetHigh: lockOffsetHigh}
	const how = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, os.NewSyscallError("LockFileEx", err)
}

func unlock(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: lockOffsetHigh}
	err := windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &at)
	return os.NewSyscallError("UnlockFileEx", err)
}

// RemoveLocked first closes a locked file, as an open file cannot be removed, and then removes it.
// If another process has opened it meanwhile, it stays.
func RemoveLocked(fsys FS, name string, file File) error {
	if err := file.Close(); err != nil {
		return err
	}
	if err := fsys.Remove(name); err != nil && !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return err
	}
	return nil
}

// SyncDir does nothing: a directory can't be flushed on windows.
func (OS) SyncDir(string) error { return nil }
