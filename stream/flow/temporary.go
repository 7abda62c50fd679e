package flow

import (
	"fmt"
	"os"
	"syscall"

	"llmpipe/stream/ui"
)

// Temporary is a file that [Temporary.Discard] deletes. If the system allows files without a name,
// it ends with the process at the latest.
type Temporary struct {
	*os.File
	named bool
}

// NewTemporary makes an empty temporary file in the directory that the system has for such files.
func NewTemporary(prefix string) (*Temporary, error) {
	f, err := os.CreateTemp("", prefix)
	if err != nil {
		return nil, TemporaryError(err)
	}
	return &Temporary{File: f, named: os.Remove(f.Name()) != nil}, nil // Windows does not remove an open file
}

// Discard closes the file, and frees its space on the disk.
func (t *Temporary) Discard() {
	_ = t.Close() // what was in it is not wanted any more
	if t.named {
		_ = os.Remove(t.Name())
	}
}

// TemporaryError says that err is about temporary files, and in which directory they lie.
func TemporaryError(err error) error {
	hint := "make room, or name a larger directory in TMPDIR, then run the same command again"
	if ui.IsErrno(err, syscall.EMFILE) {
		hint = ui.MoreFiles
	}
	return ui.WithHint(hint, fmt.Errorf("temporary files in %s: %w", os.TempDir(), err))
}
