package ledger

import (
	"errors"
	"fmt"
	"io/fs"
)

// Refresh indexes what other processes have appended since this one last looked, counts what those
// that are gone had at risk as what may have been spent, and writes nothing. It takes no lock: a
// last line without a newline may be one that is being written, and is left for later.
func (l *Ledger) Refresh() error {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused != nil {
		return fmt.Errorf("reading ledger %s: %w", l.path, l.refused)
	}
	if err := l.appear(); err != nil || l.file == nil {
		return err
	}
	if err := l.reread(); err != nil {
		return err
	}
	return l.buryGone(l.reread)
}

func (l *Ledger) reread() error {
	size, err := l.unchanged()
	if err != nil {
		return fmt.Errorf("reading ledger %s: %w", l.path, err)
	}
	return l.absorbUnlocked(size)
}

// appear opens a ledger that another process has made since Open found none.
func (l *Ledger) appear() error {
	if l.file != nil {
		return nil
	}
	file, readOnly, err := openExisting(l.options.FS, l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("opening ledger: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file, l.readOnly = file, readOnly
	return nil
}
