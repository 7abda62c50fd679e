package ledger

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// RepairStats says what [Repair] did.
type RepairStats struct {
	Healthy   bool   // there is nothing to repair, and no file was written
	Kept      int64  // lines written to the clean ledger, or lines of a healthy one
	Lost      int64  // pieces that are not a whole line
	LostBytes int64  // their size
	Aside     string // the file with the lost pieces, one a line; "" if none was lost
}

// Repair writes the whole lines of a damaged ledger to a new file out, in order, and all other
// pieces to out.lost. It never writes to path, and holds its lock, so that no commit comes in
// between. Neither new file may exist. If the ledger is whole, nothing is written.
//
// A damaged byte costs the record that it is in. If it was the newline between two records, both
// are kept. A record that a torn one has run into is kept too. Such lines are found by their
// checksums. A line with a right checksum that cannot be decoded is lost whole.
func Repair(path, out string) (stats RepairStats, err error) {
	file, _, err := openExisting(disk.OS{}, path)
	if err != nil {
		return stats, fmt.Errorf("opening ledger: %w", err)
	}
	defer func() { err = disk.Both(err, file.Close()) }()
	if err := file.Lock(); err != nil {
		return stats, fmt.Errorf("locking ledger %s: %w", path, err)
	}
	info, err := file.Stat()
	if err != nil {
		return stats, fmt.Errorf("reading ledger %s: %w", path, err)
	}
	none := func([]byte) error { return nil }
	looking := repairer{scan: scanner{path: path}, keep: none, lose: none}
	if err := looking.all(line.Section(file, 0, info.Size())); err != nil || !looking.damaged {
		looking.stats.Healthy = err == nil
		return looking.stats, err
	}
	clean, lost := sideFile{name: out}, sideFile{name: out + ".lost"}
	r := repairer{scan: scanner{path: path}, keep: clean.writeLine, lose: lost.writeLine}
	err = clean.create()
	if err == nil {
		err = r.all(line.Section(file, 0, info.Size()))
	}
	if err = disk.Both(err, disk.Both(clean.finish(), lost.finish())); err != nil {
		return r.stats, disk.Both(err, disk.Both(clean.discard(), lost.discard()))
	}
	if lost.file != nil {
		r.stats.Aside = lost.name
	}
	return r.stats, nil
}

// sideFile is a new file next to the ledger, created by create or by the first line.
type sideFile struct {
	name string
	file *os.File
	buf  *bufio.Writer
}

func (s *sideFile) create() error {
	file, err := os.OpenFile(s.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return err
	}
	s.file, s.buf = file, bufio.NewWriterSize(file, line.ReadSize)
	return nil
}

func (s *sideFile) writeLine(text []byte) error {
	if s.file == nil {
		if err := s.create(); err != nil {
			return err
		}
	}
	if _, err := s.buf.Write(text); err != nil {
		return err
	}
	return s.buf.WriteByte('\n')
}

// finish makes the file and its name durable, and closes it. A file that was never created needs
// nothing.
func (s *sideFile) finish() error {
	if s.file == nil {
		return nil
	}
	err := s.buf.Flush()
	if err == nil {
		err = s.file.Sync()
	}
	err = disk.Both(err, s.file.Close())
	if err == nil {
		err = disk.OS{}.SyncDir(filepath.Dir(s.name))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", s.name, err)
	}
	return nil
}

// discard removes the file after a repair that failed.
func (s *sideFile) discard() error {
	if s.file == nil {
		return nil
	}
	return os.Remove(s.name)
}
