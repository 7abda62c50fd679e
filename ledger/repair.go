package ledger

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// RepairStats says what [Repair] did.
type RepairStats struct {
	Kept      int64  // lines written to the clean ledger
	Lost      int64  // pieces that were no whole line
	LostBytes int64  // and their size
	Aside     string // the file that the lost pieces are in, one a line; "" if none was lost
}

// Repair writes the lines of a damaged ledger that are whole to a new file out, in order, and those
// that are not to out.lost. It never writes to path, and holds its lock, so that no commit comes
// between. Neither new file may exist.
//
// A damaged byte costs the record that it is in. Where it was the newline between two records, both
// are kept; so is a record that a torn one has run into.
func Repair(path, out string) (stats RepairStats, err error) {
	file, err := openExisting(Disk{}, path)
	if err != nil {
		return stats, fmt.Errorf("opening ledger: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Lock(); err != nil {
		return stats, fmt.Errorf("locking ledger %s: %w", path, err)
	}
	info, err := file.Stat()
	if err != nil {
		return stats, fmt.Errorf("reading ledger %s: %w", path, err)
	}
	r := repair{path: path, clean: sideFile{name: out}, lost: sideFile{name: out + ".lost"}}
	if err := r.run(newLineReader(io.NewSectionReader(file, 0, info.Size()), 0)); err != nil {
		return r.stats, errors.Join(err, r.clean.discard(), r.lost.discard())
	}
	return r.stats, nil
}

// repair is one repair under way.
type repair struct {
	path        string
	clean, lost sideFile
	stats       RepairStats
}

func (r *repair) run(lines *lineReader) error {
	if err := r.clean.create(); err != nil {
		return err
	}
	for {
		line, at, err := lines.next()
		if err != nil && err != io.EOF {
			return fmt.Errorf("reading ledger %s at byte %d: %w", r.path, at, err)
		}
		last := err == io.EOF
		if last {
			line = lines.tail()
		}
		if at == 0 && foreignTail(line) && foreign(line) && len(line) > 0 {
			return notLedger(r.path, line)
		}
		if err := r.mend(line, at); err != nil {
			return err
		}
		if last {
			break
		}
	}
	if err := r.clean.finish(); err != nil {
		return err
	}
	if r.lost.file == nil {
		return nil
	}
	r.stats.Aside = r.lost.name
	return r.lost.finish()
}

// mend keeps what can be kept of what stands between two newlines.
func (r *repair) mend(line []byte, at int64) error {
	for len(line) > 0 {
		end, next := seam(line)
		if err := r.keepEnd(line[:end], at); err != nil {
			return err
		}
		line, at = line[next:], at+int64(next)
	}
	return nil
}

// seam finds where one line ends and the next begins without a newline between them, but with any
// other byte. Without a seam it is the line's end.
func seam(line []byte) (end, next int) {
	for from := 1; ; {
		i := bytes.Index(line[from:], []byte(lineStart))
		if i < 0 {
			return len(line), len(line)
		}
		next = from + i
		if end = next - 1; endsInSum(line[:end]) {
			return end, next
		}
		from = next + 1
	}
}

// keepEnd keeps the piece, or else the longest end of it that is a line: a torn line may stand before it.
func (r *repair) keepEnd(piece []byte, at int64) error {
	for from := 0; ; {
		_, err := check(r.path, piece[from:], at)
		if errors.Is(err, ErrVersion) {
			return err
		}
		if err == nil {
			if err := r.lose(piece[:from]); err != nil {
				return err
			}
			r.stats.Kept++
			return r.clean.writeLine(piece[from:])
		}
		if from = nextHead(piece, from+1); from < 0 {
			return r.lose(piece)
		}
	}
}

// nextHead finds the next whole beginning of a line, of a kind that is known: an answer may be full
// of objects with a kind of their own, and each would cost a checksum of all that follows.
func nextHead(piece []byte, from int) int {
	for {
		i := bytes.Index(piece[min(from, len(piece)):], []byte(lineStart))
		if i < 0 {
			return -1
		}
		from += i
		if h, ok := parseHead(piece[from:]); ok && h.kind != "" {
			return from
		}
		from++
	}
}

func (r *repair) lose(piece []byte) error {
	if len(piece) == 0 {
		return nil
	}
	r.stats.Lost++
	r.stats.LostBytes += int64(len(piece))
	if err := r.lost.create(); err != nil {
		return err
	}
	return r.lost.writeLine(piece)
}

// sideFile is a new file beside the ledger.
type sideFile struct {
	name string
	file *os.File
	buf  *bufio.Writer
}

func (s *sideFile) create() error {
	if s.file != nil {
		return nil
	}
	file, err := os.OpenFile(s.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return err
	}
	s.file, s.buf = file, bufio.NewWriterSize(file, readSize)
	return nil
}

func (s *sideFile) writeLine(line []byte) error {
	if _, err := s.buf.Write(line); err != nil {
		return err
	}
	return s.buf.WriteByte('\n')
}

// finish makes the file durable, its name included, and closes it.
func (s *sideFile) finish() error {
	err := s.buf.Flush()
	if err == nil {
		err = s.file.Sync()
	}
	err = errors.Join(err, s.file.Close())
	if err == nil {
		err = Disk{}.SyncDir(filepath.Dir(s.name))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", s.name, err)
	}
	return nil
}

// discard takes away a file that was begun, when the repair fails.
func (s *sideFile) discard() error {
	if s.file == nil {
		return nil
	}
	// finish may have closed it already, which is no second failure.
	if err := s.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return errors.Join(err, os.Remove(s.name))
	}
	return os.Remove(s.name)
}
