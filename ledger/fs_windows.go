package ledger

import (
	"os"

	"golang.org/x/sys/windows"
)

// The lock is on one byte far behind any ledger's end: a lock on bytes that exist would keep others
// from reading them.
const lockOffsetHigh = 0x7fffffff

func lock(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: lockOffsetHigh}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &at)
	return os.NewSyscallError("LockFileEx", err)
}

func unlock(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: lockOffsetHigh}
	err := windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &at)
	return os.NewSyscallError("UnlockFileEx", err)
}

// SyncDir does nothing: a directory can't be flushed on windows.
func (Disk) SyncDir(string) error { return nil }
