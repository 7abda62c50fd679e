package journal

import (
	"os"

	"llmpipe/ledger"
	"llmpipe/ledger/disk"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// outFile is the file that stdout is, whose lines the ledger remembers.
type outFile struct {
	*os.File              // nil where stdout is none
	read     *os.File     // the same to be read; nil where it was empty, or cannot be read
	lines    *fileLines   // that it has and no mark proves; the commit owns it
	met      []ledger.Key // of records that have met their lines there, not yet in the ledger
}

// open opens the file for reading too, where the system has a way to.
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

// marks adds the marks of records that have met their lines.
func (f *outFile) marks(marks []ledger.Mark) []ledger.Mark {
	if len(f.met) > 0 {
		marks = append(marks, ledger.Mark{Keys: f.met, Proof: f.lines.proof})
		f.met = f.met[:0]
	}
	return marks
}

// Resume reads the lines that stdout's file has and no mark proves, where this run appends to it.
// It is false where the file cannot be read: lines that it has are then written again.
func (j *Journal) Resume(format record.Format) bool {
	if j.out.read == nil {
		return false
	}
	j.out.lines = readFileLines(j.out.read, flow.FileSize(j.out.File), format, j.Ledger.Written())
	return true
}

// Wrote reports whether stdout's file has t's line already, once for each time that it is there.
// The ledger learns of it by the next commit.
func (j *Journal) Wrote(t *flow.Task, line []byte) bool {
	if !j.out.lines.has(t.ID, line, t.Claimed) {
		return false
	}
	j.out.met = append(j.out.met, t.Key)
	return true
}
