package journal

import (
	"os"

	"llmpipe/ledger"
	"llmpipe/ledger/disk"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// outFile is stdout if that is a file. The ledger remembers which lines it has.
type outFile struct {
	*os.File              // nil if stdout is not a file
	read     *os.File     // the same file for reading; nil if it was empty or cannot be read
	lines    *fileLines   // its lines that no mark proves; the commit owns them
	met      []ledger.Key // records that have met their lines, not yet marked in the ledger
}

// open opens the file for reading, too, if the system allows that.
func (f *outFile) open() bool {
	read, err := disk.Reopen(f.File)
	if err == nil {
		f.read = read
	}
	return err == nil
}

func (f *outFile) close() error {
	if f.read == nil {
		return nil
	}
	return f.read.Close()
}

// marks appends the mark of the records that have met their lines.
func (f *outFile) marks(marks []ledger.Mark) []ledger.Mark {
	if len(f.met) > 0 {
		marks = append(marks, ledger.Mark{Keys: f.met, Proof: f.lines.proof})
		f.met = f.met[:0]
	}
	return marks
}

// Resume reads the lines of stdout's file that no mark proves, if this run appends to it. It
// returns false if the file cannot be read. Lines that the file has are then written again.
func (j *Journal) Resume(format record.Format) bool {
	if j.out.read == nil {
		return false
	}
	j.out.lines = readFileLines(j.out.read, flow.FileSize(j.out.File), format, j.Ledger.Written())
	return true
}

// Wrote reports whether stdout's file already has t's line. It reports true once for each such
// line. The next commit marks it in the ledger.
func (j *Journal) Wrote(t *flow.Task, line []byte) bool {
	if !j.out.lines.has(t.ID, line, t.Claimed) {
		return false
	}
	j.out.met = append(j.out.met, t.Key)
	return true
}
