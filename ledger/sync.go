package ledger

import (
	"fmt"
	"path/filepath"
	"sync"
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
	return 0, fmt.Errorf("%q is not one of always, 1s, never", name)
}

// UnmarshalText implements encoding.TextUnmarshaler by ParseFsync.
func (f *Fsync) UnmarshalText(text []byte) (err error) {
	*f, err = ParseFsync(string(text))
	return err
}

// durable is how far a ledger's content survives a power failure.
type durable struct {
	// running is held by the sync that is due a second after a commit, and by Close, which waits for
	// that. It is taken before Ledger.committing, which guards late.
	running sync.Mutex
	late    error // of that sync

	// The rest is guarded by Ledger.mu.
	end   int64       // what is before that is safe
	timer *time.Timer // runs while something is written and not yet synced
}

// syncDelay is how long FsyncEverySecond leaves a commit to the system.
const syncDelay = time.Second

// sync makes what was just written durable as Fsync says, or sees to it that it will be. With
// journal, for steps that the run goes on to act on, it is durable when sync returns, the file's
// name included; but where nothing real is acted on and syncing is never.
func (l *Ledger) sync(journal bool) error {
	if journal && !(l.options.Simulated && l.options.Fsync == FsyncNever) {
		if err := l.syncNow(); err != nil {
			return err
		}
		if err := l.options.FS.SyncDir(filepath.Dir(l.path)); err != nil {
			return fmt.Errorf("syncing the directory: %w", err)
		}
		return nil
	}
	switch l.options.Fsync {
	case FsyncAlways:
		return l.syncNow()
	case FsyncEverySecond:
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.durable.timer == nil {
			l.durable.timer = time.AfterFunc(syncDelay, l.syncLater)
		}
	}
	return nil
}

// SyncTo makes a result durable that another process may have written a moment ago, or this one,
// before it is shown: as Fsync says. It mostly is.
func (l *Ledger) SyncTo(ref Ref) error {
	if l.options.Fsync != FsyncAlways || ref.Other() {
		return nil
	}
	l.mu.Lock()
	done := ref.Offset() < l.durable.end || l.readOnly != nil
	l.mu.Unlock()
	if done {
		return nil
	}
	l.committing.Lock()
	refused := l.refused
	l.committing.Unlock()
	if refused != nil {
		return &WriteError{Path: l.path, Err: refused}
	}
	if err := l.syncNow(); err != nil {
		l.refuse(err)
		return &WriteError{Path: l.path, Err: err}
	}
	return nil
}

// syncNow never tries again after a failure: the kernel may by then have dropped what it could not
// write and call the file clean, so a second attempt that succeeds would prove nothing.
func (l *Ledger) syncNow() error {
	l.mu.Lock()
	file, end := l.file, l.end
	l.stopTimer()
	l.mu.Unlock()
	if err := file.SyncData(); err != nil {
		return fmt.Errorf("syncing: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.durable.end = max(l.durable.end, end)
	return nil
}

// stopTimer reports whether a sync was due, and is no more. The caller holds mu.
func (l *Ledger) stopTimer() (due bool) {
	due = l.durable.timer != nil
	if due {
		l.durable.timer.Stop()
		l.durable.timer = nil
	}
	return due
}

// syncLater is what the timer runs. Nobody waits for it, so a failure is told by the commits that
// follow and by Close.
func (l *Ledger) syncLater() {
	l.durable.running.Lock()
	defer l.durable.running.Unlock()
	if err := l.syncDue(); err != nil {
		l.committing.Lock()
		defer l.committing.Unlock()
		l.durable.late = err
		l.refused = err
	}
}

// syncDue does what the timer was to do, if it was to do anything.
func (l *Ledger) syncDue() error {
	l.mu.Lock()
	due := l.stopTimer()
	l.mu.Unlock()
	if !due {
		return nil
	}
	return l.syncNow()
}
