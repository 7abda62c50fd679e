package ledger

import (
	"fmt"
	"path/filepath"
	"time"
)

// Fsync says when what was committed must have reached the disk.
type Fsync uint8

const (
	// FsyncAlways is before Commit returns: a result that is shown survives a power failure.
	FsyncAlways Fsync = iota
	// FsyncEverySecond is within a second of the commit: a power failure costs at most that.
	FsyncEverySecond
	// FsyncNever leaves it to the system. A process that dies costs nothing even so.
	FsyncNever
)

func (f Fsync) String() string {
	switch f {
	case FsyncAlways:
		return "always"
	case FsyncEverySecond:
		return "1s"
	default:
		return "never"
	}
}

// ParseFsync reads the name that String gives.
func ParseFsync(name string) (Fsync, error) {
	for _, f := range []Fsync{FsyncAlways, FsyncEverySecond, FsyncNever} {
		if f.String() == name {
			return f, nil
		}
	}
	return 0, fmt.Errorf("fsync %q is none of always, 1s, never", name)
}

// UnmarshalText implements encoding.TextUnmarshaler by ParseFsync.
func (f *Fsync) UnmarshalText(text []byte) (err error) {
	*f, err = ParseFsync(string(text))
	return err
}

// syncDelay is how long FsyncEverySecond leaves a commit to the system.
const syncDelay = time.Second

// sync makes what was just written durable as Fsync says, or sees to it that it will be.
func (l *Ledger) sync() error {
	switch l.options.Fsync {
	case FsyncAlways:
		return l.syncNow()
	case FsyncEverySecond:
		if l.unsynced == nil {
			l.unsynced = time.AfterFunc(syncDelay, l.syncLater)
		}
	}
	return nil
}

// syncJournal makes what was just written durable, the file's name included, so that the run may go
// on to act. Where nothing real is acted on and syncing is never, it is not needed.
func (l *Ledger) syncJournal() error {
	if l.options.Simulated && l.options.Fsync == FsyncNever {
		return nil
	}
	if l.unsynced != nil {
		l.unsynced.Stop()
		l.unsynced = nil
	}
	if err := l.syncNow(); err != nil {
		return err
	}
	if err := l.options.FS.SyncDir(filepath.Dir(l.path)); err != nil {
		return fmt.Errorf("syncing the directory: %w", err)
	}
	return nil
}

// syncNow never tries again after a failure: the kernel may by then have dropped what it could not
// write and call the file clean, so a second attempt that succeeds would prove nothing.
func (l *Ledger) syncNow() error {
	if err := l.file.SyncData(); err != nil {
		return fmt.Errorf("syncing: %w", err)
	}
	return nil
}

// syncLater is what the timer runs. Nobody waits for it, so a failure is told by the commits that
// follow and by Close.
func (l *Ledger) syncLater() {
	l.committing.Lock()
	defer l.committing.Unlock()
	if err := l.syncDue(); err != nil {
		l.late = err
		l.refused = err
	}
}

// syncDue does what the timer was to do, if it was to do anything.
func (l *Ledger) syncDue() error {
	if l.unsynced == nil {
		return nil
	}
	l.unsynced.Stop()
	l.unsynced = nil
	return l.syncNow()
}
