package stream

import (
	"fmt"
	"os"

	"llmpipe/stream/ui"
)

// temporary is a file that is gone when it is closed, and where the system allows files without a name at the latest with the process.
type temporary struct {
	*os.File
	named bool
}

func newTemporary(prefix string) (*temporary, error) {
	f, err := os.CreateTemp("", prefix)
	if err != nil {
		return nil, temporaryError(err)
	}
	return &temporary{File: f, named: os.Remove(f.Name()) != nil}, nil // Windows removes no open file
}

// discard gives the disk back.
func (t *temporary) discard() {
	_ = t.Close() // what was in it is not wanted any more
	if t.named {
		_ = os.Remove(t.Name())
	}
}

// temporaryError says which files those are that could not be written or read.
func temporaryError(err error) error {
	return ui.WithHint("make room, or name a larger directory in TMPDIR, then run the same command again",
		fmt.Errorf("temporary files in %s: %w", os.TempDir(), err))
}
