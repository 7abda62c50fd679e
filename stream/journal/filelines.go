package journal

import (
	"bufio"
	"bytes"
	"errors"
	"hash/maphash"
	"io"

	"llmpipe/ledger"
	"llmpipe/stream/record"
)

// fileLines are the unproven lines of the file that stdout is appended to: no mark in the ledger
// proves that they are there. There are three reasons for such lines. A run that was killed wrote
// them and could not mark them any more, or an earlier version marked them without a proof, or the
// file is a copy of another.
//
// Two lines are the same if their bytes are. A line begins with its record's id, so that it belongs
// to one record. Lines of plain text do not, and can be the answers of several records. Such a line
// counts as a record's only if an earlier version's mark says that the record's line is there. In
// the other formats, such a mark and the line of an answer with that id are enough, because the
// line may have been written in another format.
//
// When a record has met its line, its mark gets the proof of everything that was read, which
// includes that line. If the run is killed before all lines have met their records, the next run
// reads them again.
type fileLines struct {
	format record.Format
	seed   maphash.Seed
	lines  tally        // hashes of whole lines
	ids    tally        // hashes of the ids in answers' lines, if there are marks of earlier versions
	proof  ledger.Proof // of what was read
}

// maxUnproven bounds how much of the file is read, in bytes, if there are no marks of earlier
// versions to be proven. A killed run leaves only the lines of a commit or two unmarked.
const maxUnproven = 256 << 20

// readFileLines reads the lines in a file of so many bytes that no mark proves. It returns nil if
// there is nothing to read, or if reading fails.
func readFileLines(file io.ReaderAt, size int64, format record.Format, w ledger.Written) *fileLines {
	from := int64(0)
	proven := w.Proven
	switch {
	case w.Claimed:
		proven = nil // lines that were proven in an earlier run are read again, for the claims that are left
	case format.IsText():
		return nil
	case len(proven) > 0 && proven[0].From == 0:
		from = proven[0].To
	}
	if from = max(from, size-maxUnproven); w.Claimed {
		from = 0
	}
	if from >= size {
		return nil
	}
	g := &fileLines{format: format, seed: maphash.MakeSeed(), proof: ledger.Proof{From: from, To: from, Within: true}}
	in := bufio.NewReaderSize(io.NewSectionReader(file, from, size-from), 64<<10)
	var long []byte
	for {
		line, err := in.ReadSlice(format.End())
		g.proof.Add(line)
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, line...)
			continue
		}
		if err == io.EOF { // a line without an end is not whole
			break
		}
		if err != nil {
			return nil // lines may then be written twice
		}
		if len(long) > 0 {
			line = append(long, line...)
			long = line[:0]
		}
		for len(proven) > 0 && proven[0].To < g.proof.To {
			proven = proven[1:]
		}
		if len(proven) == 0 || proven[0].From > g.proof.To-int64(len(line)) {
			g.add(line, w.Claimed)
		}
	}
	g.lines.seal()
	g.ids.seal()
	return g
}

func (g *fileLines) add(line []byte, claimed bool) {
	g.lines.add(maphash.Bytes(g.seed, line))
	if !claimed {
		return
	}
	if id, kind := record.ReadLine(line); kind == record.LineAnswered {
		g.ids.add(g.hashID(id))
	}
}

// hashID hashes an id without its quotes, because all ids in a batch's output are strings.
func (g *fileLines) hashID(id []byte) uint64 { return maphash.Bytes(g.seed, bytes.Trim(id, `"`)) }

// has reports whether the file already has the line of the record with this id. It reports true
// once for each such line. claimed says that an earlier version's mark covers the record.
func (g *fileLines) has(id, line []byte, claimed bool) bool {
	if g == nil {
		return false
	}
	switch {
	case g.format.IsText():
		return claimed && g.hasText(line)
	case claimed:
		return g.ids.take(g.hashID(id))
	}
	return g.lines.take(maphash.Bytes(g.seed, line))
}

// hasText reports whether every line of an answer is there. In text0 an answer is one line.
func (g *fileLines) hasText(text []byte) bool {
	var taken []uint64
	for line := range bytes.SplitAfterSeq(text, []byte{g.format.End()}) {
		if len(line) == 0 {
			continue // after the last line's end
		}
		hash := maphash.Bytes(g.seed, line)
		if !g.lines.take(hash) {
			for _, hash := range taken {
				g.lines.giveBack(hash)
			}
			return false
		}
		taken = append(taken, hash)
	}
	return true
}

// end returns the mark of everything that was read. It is for when every record that may have a
// line there has been met: the lines that are left belong to no record of this job.
func (g *fileLines) end() ledger.Mark {
	whole := g.proof
	whole.Within = false
	return ledger.Mark{Proof: whole}
}
