package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// mender tells what is whole in a damaged ledger from what is not.
type mender struct {
	scanner
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

// maxSearch bounds what is done for lines inside of one that is damaged, in bytes looked at: an answer may be full of what looks like the
// beginning of a line, and for each of them all that follows may be looked at. It takes less than a second.
const maxSearch int64 = 1 << 30

// mendLine keeps what can be kept of what stands between two newlines: of a damaged newline two lines are left, and behind a torn line
// may stand a whole one.
func (m *mender) mendLine(line []byte, at int64) error {
	if verify(line) == nil {
		return m.take(line, at) // whatever in it looks like two lines
	}
	end := 0 // of the line before
	budget := maxSearch
	for from := 0; from >= 0; {
		n := sealedLen(line[from:], &budget)
		if n == 0 {
			from = nextHead(line, from+1)
			continue
		}
		if err := m.dropGap(line[end:from], end > 0); err != nil {
			return err
		}
		if err := m.take(line[from:from+n], at+int64(from)); err != nil {
			return err
		}
		end = from + n
		if from = end + 1; !beginsLine(line, from) { // else it is one, of whatever kind
			from = nextHead(line, end)
		}
	}
	return m.dropGap(line[end:], end > 0)
}

// take keeps a line with a right checksum, if it can be read.
func (m *mender) take(line []byte, at int64) error {
	h, err := headOf(m.path, line, at)
	if err == nil {
		_, err = m.read(line, at, &h)
	}
	if err == nil && h.kind == KindBatch && h.step == ShardIntent {
		err = eachRecord(line, func(ShardRecord) error { return nil })
	}
	switch {
	case errors.Is(err, ErrVersion):
		return err
	case err != nil:
		return m.drop(line)
	}
	m.stats.Kept++
	return m.keep(line)
}

// dropGap drops what stands between lines, but for the one byte behind a line that was its newline.
func (m *mender) dropGap(gap []byte, behindLine bool) error {
	if behindLine && len(gap) == 1 {
		return nil
	}
	return m.drop(gap)
}

func (m *mender) drop(piece []byte) error {
	if len(piece) == 0 {
		return nil
	}
	m.stats.Lost++
	m.stats.LostBytes += int64(len(piece))
	return m.lose(piece)
}

// sealedLen returns the length of the line that src begins with, or 0 where none does. It ends where a checksum stands that is its own.
func sealedLen(src []byte, budget *int64) int {
	if !beginsLine(src, 0) {
		return 0
	}
	sum, summed := uint32(0), 0
	for from := 0; *budget > 0; from++ {
		i := bytes.Index(src[from:], []byte(sumStart))
		if i < 0 {
			*budget -= int64(len(src) - from)
			break
		}
		*budget -= int64(i + len(sumStart))
		from += i
		end := from + sumLen
		if end > len(src) || !endsInSum(src[:end]) {
			continue
		}
		sum, summed = crc32.Update(sum, castagnoli, src[summed:from]), from
		if said, ok := parseHex(src[from+len(sumStart) : end-len(sumEnd)]); ok && uint32(said) == sum {
			return end
		}
	}
	return 0
}

func beginsLine(src []byte, at int) bool {
	return at < len(src) && bytes.HasPrefix(src[at:], []byte(lineStart))
}

// nextHead finds the next whole beginning of a line, of a kind that is known: an answer may be full of objects with a kind of their own.
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
