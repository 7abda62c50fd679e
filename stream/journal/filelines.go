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

// fileLines are the lines of the file that stdout is appended to which no mark in the ledger proves
// to be there: a run that was killed wrote them, and had no time to say so; or earlier versions
// said so without a proof; or the file is a copy of another.
//
// A line is the same when its bytes are, and every one begins with its record's id; but for lines
// of plain text, which are the answers of any record that says the like. Those are taken for a
// record's only where an earlier version's mark says that the record's is there. Of the other
// formats such a mark, and a line of an answer with that id, are enough: the line may have been
// written in another format.
//
// When a record has met its line, its mark is proven by all that was read, within which its line
// is: where the run is killed before all lines have met their records, the next one reads them
// again.
type fileLines struct {
	format record.Format
	seed   maphash.Seed
	lines  tally        // of whole lines
	ids    tally        // of the ids in the lines of answers, where earlier versions' marks count
	proof  ledger.Proof // what was read
}

// maxUnproven bounds what is read of the file, in bytes, where no earlier version's marks are to be
// proven. What a killed run leaves unmarked is the lines of a commit or two.
const maxUnproven = 256 << 20

// readFileLines reads what a file of so many bytes holds that no mark proves, nil where that is
// nothing.
func readFileLines(file io.ReaderAt, size int64, format record.Format, w ledger.Written) *fileLines {
	from := int64(0)
	proven := w.Proven
	switch {
	case w.Claimed:
		proven = nil // what was read to prove claims before is read for the others
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
		if err == io.EOF { // what has no end is no whole line
			break
		}
		if err != nil {
			return nil // lines may come twice
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

// hashID hashes an id without its quotes: a batch's output has none but strings.
func (g *fileLines) hashID(id []byte) uint64 { return maphash.Bytes(g.seed, bytes.Trim(id, `"`)) }

// has reports whether the file got the line of the record with an id already, once for each time
// that it is there. claimed says that an earlier version's mark tells of it.
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

// hasText reports whether each line of an answer is there; in text0 it is one.
func (g *fileLines) hasText(text []byte) bool {
	var taken []uint64
	for line := range bytes.SplitAfterSeq(text, []byte{g.format.End()}) {
		if len(line) == 0 {
			continue // behind the last end
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

// end is the mark of all that was read, when every record that may have a line there has been met:
// what is left is none of this job's.
func (g *fileLines) end() ledger.Mark {
	whole := g.proof
	whole.Within = false
	return ledger.Mark{Proof: whole}
}
