package journal

import (
	"bufio"
	"errors"
	"hash/maphash"
	"io"
	"os"

	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// unmarked are the lines at the end of the file that stdout is appended to which no mark in the
// ledger tells of: a run that was killed wrote them, and had no time to say so. It maps their
// hashes to how often each is there.
//
// A line is the same when its bytes are, and every one begins with its record's id; but for lines
// of plain text, which are the answers of any record that says the like. Those are never taken for
// unmarked.
//
// As long as some of them have not met their records, the marks of this run go on from where those
// before it ended: the run may be killed too, and the next one is to find the lines still unmarked.
type unmarked struct {
	lines  map[uint64]int
	left   int   // lines that have not met their records
	marked int64 // where the marks before this run ended
	seed   maphash.Seed
}

// maxUnmarked bounds what is read of the file, in bytes. What a killed run leaves unmarked is the
// lines of a commit or two.
const maxUnmarked = 64 << 20

// readUnmarked reads what f holds behind the first marked bytes. A file that cannot be read has
// nothing unmarked, and lines may come twice.
func readUnmarked(f *os.File, format record.Format, marked int64) *unmarked {
	size := flow.FileSize(f)
	if format == record.FormatText || size <= marked {
		return nil
	}
	again, err := flow.Reopen(f)
	if err != nil {
		return nil
	}
	defer again.Close()
	g := &unmarked{lines: make(map[uint64]int), marked: marked, seed: maphash.MakeSeed()}
	from := max(marked, size-maxUnmarked)
	in := bufio.NewReaderSize(io.NewSectionReader(again, from, size-from), 64<<10)
	var long []byte
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, line...)
			continue
		}
		if err != nil {
			return g // what has no newline is no whole line
		}
		if len(long) > 0 {
			line = append(long, line...)
			long = line[:0]
		}
		g.lines[maphash.Bytes(g.seed, line)]++
		g.left++
	}
}

// has reports whether the file got line already, once for each time that it is there.
func (g *unmarked) has(line []byte) bool {
	if g == nil {
		return false
	}
	hash := maphash.Bytes(g.seed, line)
	n := g.lines[hash]
	if n > 0 {
		g.lines[hash] = n - 1
		g.left--
	}
	return n > 0
}

// end gives the lines up that have not met their records by now: they are none of this job's.
func (g *unmarked) end() {
	if g != nil {
		g.left = 0
	}
}

// size is where the marks of f end.
func (g *unmarked) size(f *os.File) int64 {
	if g != nil && g.left > 0 {
		return g.marked
	}
	return flow.FileSize(f)
}
