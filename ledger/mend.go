package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// mender tells what is whole in a damaged ledger from what is not.
type mender struct {
	path  string
	keep  func(line []byte) error
	lose  func(piece []byte) error
	stats RepairStats
}

func (m *mender) mend(lines *lineReader) error {
	for {
		line, at, err := lines.next()
		if err != nil && err != io.EOF {
			return fmt.Errorf("reading ledger %s at byte %d: %w", m.path, at, err)
		}
		last := err == io.EOF
		if last {
			line = lines.tail()
		}
		if at == 0 && foreign(line) && (!last || foreignTail(line)) {
			return notLedger(m.path, line)
		}
		if err := m.mendLine(line, at); err != nil || last {
			return err
		}
	}
}

// mendLine keeps what can be kept of what stands between two newlines.
func (m *mender) mendLine(line []byte, at int64) error {
	if whole, ok := bytes.CutSuffix(line, []byte("\r")); ok && endsInSum(whole) {
		line = whole // an editor's newline
	}
	if m.check(line, at) == nil {
		return m.keepLine(line) // whatever looks like a seam in its answer
	}
	for len(line) > 0 {
		end, next := seam(line)
		if err := m.mendPiece(line[:end], at); err != nil {
			return err
		}
		line, at = line[next:], at+int64(next)
	}
	return nil
}

// seam finds where one line ends and the next begins without a newline between them, but with any
// other byte. Without a seam it is the line's end.
func seam(line []byte) (end, next int) {
	for from := 1; from < len(line); {
		i := bytes.Index(line[from:], []byte(lineStart))
		if i < 0 {
			break
		}
		next = from + i
		if end = next - 1; endsInSum(line[:end]) {
			return end, next
		}
		from = next + 1
	}
	return len(line), len(line)
}

// mendPiece keeps the piece, or else the longest end of it that is a line: a torn line may stand before it.
func (m *mender) mendPiece(piece []byte, at int64) error {
	for from := 0; ; {
		err := m.check(piece[from:], at+int64(from))
		if errors.Is(err, ErrVersion) {
			return err
		}
		if err == nil {
			if err := m.drop(piece[:from]); err != nil {
				return err
			}
			return m.keepLine(piece[from:])
		}
		if from = nextHead(piece, from+1); from < 0 {
			return m.drop(piece)
		}
	}
}

// check says what is wrong with a line, of all that opening a ledger reads.
func (m *mender) check(line []byte, at int64) error {
	h, err := check(m.path, line, at)
	if err != nil {
		return err
	}
	return checkMembers(line, &h)
}

func (m *mender) keepLine(line []byte) error {
	m.stats.Kept++
	return m.keep(line)
}

func (m *mender) drop(piece []byte) error {
	if len(piece) == 0 {
		return nil
	}
	m.stats.Lost++
	m.stats.LostBytes += int64(len(piece))
	return m.lose(piece)
}

// nextHead finds the next whole beginning of a line, of a kind that is known: an answer may be full
// of objects with a kind of their own, and each would cost a checksum of all that follows.
func nextHead(piece []byte, from int) int {
	for from < len(piece) {
		i := bytes.Index(piece[from:], []byte(lineStart))
		if i < 0 {
			break
		}
		from += i
		if h, ok := parseHead(piece[from:]); ok && h.kind != "" {
			return from
		}
		from++
	}
	return -1
}
