package ledger

import (
	"fmt"

	"llmpipe/ledger/disk"
)

// Space for answers is kept in hand before they are asked for: an answer that cannot be recorded is
// paid for again by the next run. What other processes of the ledger write uses up of it, so each
// keeps its own, and looks again after every commit.

// room is the space, in bytes, that there must be for answers before the first request: a block, as
// on a full disk the last block of a file may have space for a line or two.
const room = 4096

const (
	// leastRoom is what is kept in hand at least, and mostRoom at most: a disk that is full but for
	// that much is no accident.
	leastRoom = 1 << 20
	mostRoom  = 256 << 20
	// besideAnswer is what is kept for each answer beside its own line: for what is at risk, for the
	// mark that it was written, and for a line with its cost where it has no room itself.
	besideAnswer = 1 << 10
)

// inHand is the space that is kept behind the file's end.
type inHand struct {
	asked   bool  // for by KeepRoom
	bytes   int64 // that are left, as far as is known
	answers int   // that it is for
	left    int64 // what of it a write must leave
	largest int64 // line of an answer so far, in bytes
}

// use takes away what was written.
func (h *inHand) use(bytes int64) { h.bytes = max(0, h.bytes-bytes) }

// leaveFor has the next write of so many answers leave what the costs of the others take.
func (h *inHand) leaveFor(written int) {
	h.left = int64(max(0, h.answers-written)) * besideAnswer
}

// each is what an answer takes, by the largest so far.
func (h *inHand) each() int64 {
	if h.largest == 0 {
		return room + besideAnswer
	}
	return h.largest + besideAnswer
}

// KeepRoom keeps space in hand for so many answers, each as large as the largest so far, and at
// least a megabyte. It returns for how many there is: less where the disk is nearly full. Where
// there is space for none the error is a *[WriteError].
func (l *Ledger) KeepRoom(answers int) (enough int, err error) {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused != nil {
		return 0, &WriteError{Path: l.path, Err: l.refused}
	}
	if l.file == nil {
		return answers, nil // it is made by the first commit
	}
	h := &l.inHand
	h.asked = true
	need := min(max(int64(answers)*h.each(), leastRoom/2), mostRoom/2)
	if h.bytes < need {
		if err = l.reserve(2 * need); err != nil && !disk.IsFull(err) {
			return 0, &WriteError{Path: l.path, Err: err}
		}
	}
	h.answers = answers
	if h.bytes < need {
		h.answers = int(min(int64(answers), h.bytes/h.each()))
	}
	if h.answers == 0 {
		return 0, &WriteError{Path: l.path, Err: err}
	}
	return h.answers, nil
}

// reserve keeps so many bytes in hand, or a part of it that is more than there is. An error says
// why it is not all.
func (l *Ledger) reserve(bytes int64) (err error) {
	l.reserved = true
	for size := bytes; size > l.inHand.bytes && size >= l.inHand.each(); size /= 2 {
		again := l.file.Reserve(l.end, size)
		if again == nil {
			l.inHand.bytes = size
			break
		}
		err = again
		if !disk.IsFull(err) {
			break
		}
	}
	return err
}

// fits makes sure, before anything is written, that there is space for l.out. Where it takes more
// than is in hand, what is left must do for the costs of other answers.
func (l *Ledger) fits() error {
	size := int64(len(l.out))
	if !l.inHand.asked || size <= l.inHand.bytes {
		return nil
	}
	size += l.inHand.left
	err := l.file.Reserve(l.end, size)
	if disk.IsFull(err) {
		return fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	if err == nil { // else the write will tell
		l.inHand.bytes = size
	}
	return nil
}

// commitLess writes a group for which there is no space: as many of its results as fit, and of the
// others, and of failures, what they cost. The next run asks them again, and does not spend that
// money twice. The error says so.
func (l *Ledger) commitLess(g *Group, full error) (done committed, err error) {
	l.inHand.left = 0
	for whole := len(g.Results) / 2; ; whole /= 2 {
		err := l.encode(costsOf(g, whole), false)
		if err == nil && len(l.out) > 0 {
			_, err = l.append(func() error { return nil }, 0)
		}
		switch {
		case err == nil:
			l.announced = l.announced || len(l.out) > 0
			return committed{any: len(l.out) > 0, results: whole, failures: len(g.Failures)}, full
		case whole == 0 || !disk.IsFull(err):
			l.refused = refusal(err)
			return done, err
		}
	}
}

// costsOf is a group with so many whole results. Those of batches are with the provider still, and
// are collected again.
func costsOf(g *Group, whole int) *Group {
	less := &Group{Results: g.Results[:whole], Lifted: g.Lifted}
	for i := range g.Results[whole:] {
		if r := &g.Results[whole+i]; r.Shard == "" {
			less.Failures = append(less.Failures, Failure{Record: r.Record, Type: "not_recorded", Billed: true})
		}
	}
	for _, f := range g.Failures {
		f.Message = ""
		less.Failures = append(less.Failures, f)
	}
	return less
}
