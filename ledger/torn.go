package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// cut saves a torn tail in a file of its own and cuts it off the ledger.
func (l *Ledger) cut(tail []byte) error {
	name, err := l.saveAside(tail)
	if err != nil {
		return fmt.Errorf("saving the torn line to another file: %w", err)
	}
	if err := l.file.Truncate(l.end); err != nil {
		return fmt.Errorf("cutting off the torn line: %w", err)
	}
	l.options.Warn(fmt.Sprintf("ledger %s: its last line was torn: %d bytes at byte %d were cut off and saved in %s",
		l.path, len(tail), l.end, name))
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

// tornLines are the torn lines in the middle of a ledger, to which another ledger was appended.
type tornLines struct {
	lines, bytes int64
	first        int64 // offset
}

// note counts the torn pieces of the text at an offset.
func (t *tornLines) note(pieces []line.Piece, at int64) {
	for _, p := range pieces {
		if !p.Whole {
			t.add(tornLines{1, int64(p.To - p.From), at + int64(p.From)})
		}
	}
}

func (t *tornLines) add(more tornLines) {
	if t.lines == 0 {
		t.first = more.first
	}
	t.lines += more.lines
	t.bytes += more.bytes
}

// tell reports what is left out, if anything is.
func (t *tornLines) tell(path string, warn func(string)) {
	switch {
	case t.lines == 0 || warn == nil:
	case t.lines == 1:
		warn(fmt.Sprintf("ledger %s: skipped a torn line of %d bytes at byte %d, to which another ledger was appended",
			path, t.bytes, t.first))
	default:
		warn(fmt.Sprintf("ledger %s: skipped %d torn lines of %d bytes, the first at byte %d, to which other ledgers were appended",
			path, t.lines, t.bytes, t.first))
	}
}
