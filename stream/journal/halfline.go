package journal

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// A run that is killed during a write leaves half a line at the end of the file that stdout is
// appended to. The next run cuts it off, so that every line in the file is whole. The whole line is
// written when its record comes, because no mark covers it. If nothing proves that the half line is
// this ledger's, it is somebody else's and is left alone.

// HalfLine is what follows the end of the last line in the file that stdout is appended to.
type HalfLine struct {
	From, Size int64 // in bytes; Size is 0 if there is none
	Own        bool  // it is this ledger's, and nobody is still writing it
}

// settling is how long a half line must not change before it counts as one. Its writer may be
// alive, and delayed by a busy disk.
const settling = 300 * time.Millisecond

// FindHalfLine looks for a half line in the file that stdout is appended to. format is the format
// of this run's lines.
func (j *Journal) FindHalfLine(format record.Format) HalfLine {
	if j.out.read == nil {
		return HalfLine{}
	}
	size := flow.FileSize(j.out.File)
	half, from := lastLine(j.out.read, size, format.End())
	h := HalfLine{From: from, Size: size - from}
	if h.Size == 0 {
		return h
	}
	before, _ := lastLine(j.out.read, from-1, format.End())
	h.Own = len(half) > 0 && j.proves(half, before, from, format)
	if h.Own {
		select {
		case <-time.After(settling):
		case <-j.flow.Stop.Asking.Done():
		}
		h.Own = flow.FileSize(j.out.File) == size
	}
	return h
}

// maxHalf bounds how much of a half line is looked at, in bytes. A longer one counts as somebody
// else's.
const maxHalf = 256 << 20

// lastLine returns the text between the last line end before offset and offset, and where that text
// begins. The text is nil if it is too long.
func lastLine(file io.ReaderAt, offset int64, end byte) (text []byte, from int64) {
	const step = 64 << 10
	for from = max(0, offset); from > 0 && offset-from < maxHalf; {
		n := min(max(step, int64(len(text))), from)
		block := make([]byte, n)
		if _, err := file.ReadAt(block, from-n); err != nil && err != io.EOF {
			return nil, from
		}
		if i := bytes.LastIndexByte(block, end); i >= 0 {
			return append(block[i+1:], text...), from - n + int64(i) + 1
		}
		text, from = append(block, text...), from-n
	}
	if from > 0 {
		return nil, from
	}
	return text, 0
}

// proves reports whether half is the beginning of a line of this ledger: of the line that a result
// in the ledger makes, or of one that looks like this program's and follows lines of this ledger.
func (j *Journal) proves(half, before []byte, from int64, format record.Format) bool {
	w := j.Ledger.Written()
	behindOwn := from == 0 && w.Began || from == w.ClaimedTo && w.Claimed ||
		slices.ContainsFunc(w.Own, func(e ledger.Extent) bool { return e.To == from })
	kind := record.LineOther
	if !format.IsText() {
		_, kind = record.ReadLine(half)
		if _, before := record.ReadLine(before); before == record.LineFailed {
			behindOwn = behindOwn || len(w.Own) > 0
		}
	}
	if behindOwn && (kind == record.LineShort || kind == record.LineFailed) {
		return true
	}
	p := prover{half: half, before: append(before, format.End()), format: format, kind: kind, behindOwn: behindOwn}
	for _, path := range append([]string{j.cfg.Path}, j.others...) {
		if p.look(path) {
			return true
		}
	}
	return false
}

// prover looks for the result whose line half is the beginning of. If half fits many results, it is
// proven only if the lines before it are this ledger's.
type prover struct {
	half, before []byte
	format       record.Format
	kind         record.LineKind
	behindOwn    bool // the lines before are this ledger's
	begins       bool // half begins a result's line, or looks like a line of this program

	result record.Result
}

var errProven = errors.New("proven")

func (p *prover) look(path string) bool {
	p.begins = p.begins || p.kind == record.LineShort || p.kind == record.LineFailed
	err := ledger.Scan(path, nil, func(e ledger.Entry) error {
		if e.Result == nil {
			return nil
		}
		p.compare(e.Result)
		if p.begins && (p.behindOwn || p.kind == record.LineAnswered) {
			return errProven
		}
		return nil
	})
	return errors.Is(err, errProven)
}

// compare checks whether a result's line begins with half, or is the line before.
func (p *prover) compare(r *ledger.Result) {
	formats := []record.Format{record.FormatResult, record.FormatRaw, record.FormatBatch}
	if p.format.IsText() {
		formats = []record.Format{p.format}
	}
	for _, f := range formats {
		if !p.begins && p.may(f, r, p.half) {
			p.begins = p.fill(r) && f.Begins(p.half, &p.result)
		}
		if !p.behindOwn && len(p.before) > 1 && p.may(f, r, p.before) {
			p.behindOwn = p.fill(r) && f.Begins(p.before, &p.result)
		}
	}
}

// may is a cheap check: it reports false if text cannot be r's line.
func (p *prover) may(f record.Format, r *ledger.Result, text []byte) bool {
	if f.IsText() {
		return true
	}
	id, kind := record.ReadLine(text)
	return kind == record.LineAnswered && bytes.Equal(bytes.Trim(id, `"`), bytes.Trim(r.ID, `"`))
}

func (p *prover) fill(r *ledger.Result) bool {
	endpoint, err := record.ParseEndpoint(r.Endpoint)
	if err != nil {
		return false
	}
	answer, err := record.RecallAnswer(endpoint, r.Response)
	p.result = record.Result{
		ID: r.ID, Answer: &answer, Response: r.Response, CostNanos: r.CostNanos, CostKnown: r.CostKnown,
		Attempts: r.Attempts, LatencyMS: r.LatencyMS,
	}
	return err == nil
}

// CutHalfLine removes a half line from the end of the file.
func (j *Journal) CutHalfLine(h HalfLine) error {
	if err := j.out.Truncate(h.From); err != nil {
		return err
	}
	_, err := j.out.Seek(h.From, io.SeekStart) // for a file that is not in append mode
	return err
}
