package ledger

import (
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// Fsync says when a commit must have reached the disk.
type Fsync uint8

const (
	// FsyncAlways syncs before Commit returns: a result that is shown survives a power failure.
	FsyncAlways Fsync = iota
	// FsyncEverySecond syncs within a second of the commit: a power failure costs at most that second.
	FsyncEverySecond
	// FsyncNever leaves it to the system. Even so, nothing is lost if only the process dies.
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

// ParseFsync parses a name that String returns.
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

// durable is how much of a ledger survives a power failure.
type durable struct {
	// running is held by the sync that is due a second after a commit, and by Close, which waits for
	// that sync. Take it before Ledger.committing, which guards late.
	running sync.Mutex
	late    error // of that sync

	// The rest is guarded by Ledger.mu.
	end   int64       // everything before this offset is safe
	timer *time.Timer // runs while something is written but not yet synced
}

// syncDelay is how long FsyncEverySecond waits before it syncs a commit.
const syncDelay = time.Second

// sync makes what was just written durable, or schedules that, as Fsync says. With journal, for
// steps that the run acts on next, the file and its name are durable when sync returns. A simulated
// run with FsyncNever is the exception, as nothing real is acted on.
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

// SyncTo makes a result durable before it is shown, as Fsync says: this or another process may have
// written it a moment ago. Mostly it is durable already.
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

// syncNow never tries again after a failure. The kernel may by then have dropped what it could not
// write and marked the pages clean, so a second attempt that succeeds would prove nothing.
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

// stopTimer cancels a sync that is due, and reports whether there was one. The caller holds mu.
func (l *Ledger) stopTimer() (due bool) {
	due = l.durable.timer != nil
	if due {
		l.durable.timer.Stop()
		l.durable.timer = nil
	}
	return due
}

// syncLater is what the timer runs. Nobody waits for it, so the commits that follow, or Close,
// report a failure.
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

// syncDue syncs now if a sync is due.
func (l *Ledger) syncDue() error {
	l.mu.Lock()
	due := l.stopTimer()
	l.mu.Unlock()
	if !due {
		return nil
	}
	return l.syncNow()
}
