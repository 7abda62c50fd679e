package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"llmpipe/ledger/disk"
)

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
			err = disk.Both(file.SyncData(), l.options.FS.SyncDir(filepath.Dir(name)))
		}
		return name, disk.Both(err, file.Close())
	}
}
