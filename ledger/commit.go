package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// filePerm is for the owner alone: prompts and answers are nobody else's business.
const filePerm = 0o600

// Prepare finds out whether commits can be taken at all, and makes the file if there is none yet. Answers are paid for before they are
// committed, so it is for the moment before the first request. An error is a *[WriteError].
func (l *Ledger) Prepare() error {
	l.committing.Lock()
	defer l.committing.Unlock()
	if err := l.create(); err != nil {
		return &WriteError{Path: l.path, Err: err}
	}
	return nil
}

// Commit appends the batch, results first, then failures, then emitted marks, by one write and, as Fsync
// says, one sync, under the lock that other processes wait for; before that, it indexes what they
// have appended. When it returns nil the whole batch is safe, and is found by Look and Admit.
//
// A ledger that may only be read drops marks, and refuses records. An error is a *[WriteError]. Commit is for one goroutine at a time.
func (l *Ledger) Commit(b *Batch) error {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused != nil {
		return &WriteError{Path: l.path, Err: l.refused}
	}
	if err := l.encode(b); err != nil {
		return &WriteError{Path: l.path, Err: err}
	}
	if len(l.out) == 0 {
		return nil
	}
	kept, err := l.write()
	if err != nil {
		l.refused = fmt.Errorf("no more is written after an earlier error: %w", err)
		results, failures := countSafe(kept)
		return &WriteError{Path: l.path, Results: results, Failures: failures, Err: err}
	}
	l.announced = true
	return nil
}

// encode fills l.out with the batch's lines.
func (l *Ledger) encode(b *Batch) error {
	out, err := l.out[:0], error(nil)
	defer func() { l.out = out }()
	empty := l.options.EmittedSize == 0 && !l.announced
	marks := l.options.Emitted != nil && l.readOnly == nil && (len(b.Emitted) > 0 || empty)
	if len(b.Results)+len(b.Failures) == 0 && !marks {
		return nil
	}
	if !l.announced {
		out = appendRun(out, &l.options.Run, l.options.Simulated)
	}
	for i := range b.Results {
		r := &b.Results[i]
		if out, err = appendResult(out, r, r.Simulated || l.options.Simulated); err != nil {
			return err
		}
	}
	for i := range b.Failures {
		f := &b.Failures[i]
		if out, err = appendFailure(out, f, f.Simulated || l.options.Simulated); err != nil {
			return err
		}
	}
	if marks {
		out = appendEmitted(out, *l.options.Emitted, b.EmittedSize, b.Emitted, l.options.Simulated, empty)
	}
	return nil
}

// write puts l.out behind whatever is in the file by now, and returns the part of it that is safe.
func (l *Ledger) write() (kept []byte, err error) {
	if err := l.create(); err != nil {
		return nil, err
	}
	if err := l.file.Lock(); err != nil {
		return nil, fmt.Errorf("locking: %w", err)
	}
	defer func() { err = both(err, l.file.Unlock()) }()
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	base := l.end
	n, err := l.file.WriteAt(l.out, base)
	kept = l.out
	if err == nil && n < len(l.out) {
		err = io.ErrShortWrite
	}
	if err != nil {
		kept = l.out[:bytes.LastIndexByte(l.out[:n], '\n')+1]
		if cutErr := l.file.Truncate(base + int64(len(kept))); cutErr != nil {
			err = both(err, fmt.Errorf("cutting the torn end: %w", cutErr))
		}
	}
	if syncErr := l.sync(); syncErr != nil {
		return nil, both(err, syncErr)
	}
	for line := range bytes.Lines(kept) {
		if err := l.enter(line[:len(line)-1], l.end); err != nil {
			return nil, err
		}
	}
	return kept, err
}

// create makes the file, if there was none when the ledger was opened.
func (l *Ledger) create() error {
	if l.file != nil {
		return l.readOnly
	}
	file, err := l.options.FS.OpenFile(l.path, os.O_RDWR|os.O_CREATE, filePerm)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.file = file
	l.mu.Unlock()
	if l.options.Fsync == FsyncNever {
		return nil
	}
	return l.options.FS.SyncDir(filepath.Dir(l.path))
}

// catchUp indexes what other processes appended. The lock is held: a tail without a newline has no
// writer any more.
func (l *Ledger) catchUp() error {
	opened, err := l.file.Stat()
	if err != nil {
		return err
	}
	named, err := l.options.FS.Stat(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: the file was removed", ErrChanged)
	case err != nil:
		return err
	case !os.SameFile(opened, named):
		return fmt.Errorf("%w: the file was replaced by another", ErrChanged)
	case opened.Size() < l.end:
		return fmt.Errorf("%w: it had %d bytes and has %d", ErrChanged, l.end, opened.Size())
	}
	tail, err := l.absorb(opened.Size())
	if err != nil || len(tail) == 0 {
		return err
	}
	return l.cut(tail)
}

// cut saves a torn tail aside and takes it off the file.
func (l *Ledger) cut(tail []byte) error {
	name, err := l.saveAside(tail)
	if err != nil {
		return fmt.Errorf("saving the torn end aside: %w", err)
	}
	if err := l.file.Truncate(l.end); err != nil {
		return fmt.Errorf("cutting the torn end: %w", err)
	}
	l.options.Warn(fmt.Sprintf("ledger %s: its last line was torn: cut %d bytes at byte %d, saved in %s", l.path, len(tail), l.end, name))
	return nil
}

func (l *Ledger) saveAside(tail []byte) (name string, err error) {
	mark := l.options.Run.ID
	if mark == "" {
		mark = time.Now().UTC().Format("20060102T150405Z")
	}
	for n := 1; ; n++ {
		name = l.path + ".broken-" + mark
		if n > 1 {
			name = fmt.Sprintf("%s-%d", name, n)
		}
		file, err := l.options.FS.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = file.WriteAt(tail, 0)
		if err == nil && l.options.Fsync != FsyncNever {
			err = both(file.SyncData(), l.options.FS.SyncDir(filepath.Dir(name)))
		}
		return name, both(err, file.Close())
	}
}

// countSafe counts the records of lines that were written.
func countSafe(lines []byte) (results, failures int) {
	results = bytes.Count(lines, []byte("\n"+resultStart))
	failures = bytes.Count(lines, []byte("\n"+failureStart))
	if bytes.HasPrefix(lines, []byte(resultStart)) {
		results++
	}
	if bytes.HasPrefix(lines, []byte(failureStart)) {
		failures++
	}
	return results, failures
}
