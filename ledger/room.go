package ledger

import (
	"fmt"

	"llmpipe/ledger/disk"
)

// Space for answers is reserved before they are asked for: an answer that cannot be recorded is
// paid for again by the next run. Other processes on the ledger use up some of the space when they
// write. So each reserves its own, and checks again after every commit.

// room is the space, in bytes, that must be free for answers before the first request. It is one
// block, as the last block of a file may have space for a line or two even on a full disk.
const room = 4096

const (
	// leastRoom and mostRoom are the least and the most space that is reserved.
	leastRoom = 1 << 20
	mostRoom  = 256 << 20
	// besideAnswer is reserved for each answer in addition to its line: for its risk line, for its
	// mark, and for a line with its cost if the answer itself does not fit.
	besideAnswer = 1 << 10
)

// inHand is the space that is reserved behind the end of the file.
type inHand struct {
	asked   bool  // by KeepRoom
	bytes   int64 // that are left, as far as is known
	answers int   // how many it is for
	left    int64 // how much of it a write must leave
	largest int64 // the longest line of an answer so far, in bytes
}

// use subtracts what was written.
func (h *inHand) use(bytes int64) { h.bytes = max(0, h.bytes-bytes) }

// leaveFor makes the next write, of that many answers, leave the space that the costs of the others
// need.
func (h *inHand) leaveFor(written int) {
	h.left = int64(max(0, h.answers-written)) * besideAnswer
}

// each is the space for one answer, by the largest so far.
func (h *inHand) each() int64 {
	if h.largest == 0 {
		return room + besideAnswer
	}
	return h.largest + besideAnswer
}

// KeepRoom reserves space for a number of answers, each as large as the largest so far, and at
// least a megabyte. It returns how many there is space for, which is less if the disk is nearly
// full. If there is space for none, the error is a *[WriteError].
func (l *Ledger) KeepRoom(answers int) (enough int, err error) {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused != nil {
		return 0, &WriteError{Path: l.path, Err: l.refused}
	}
	if l.file == nil {
		return answers, nil // the first commit creates the file
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

// reserve reserves that many bytes, or a part of them that is more than is reserved now. An error
// says why it is not all of them.
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

// fits makes sure, before anything is written, that there is space for l.out. If it needs more than
// is reserved, the rest of the reservation must still do for the costs of other answers.
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
	if err == nil { // if that fails, the write reports it
		l.inHand.bytes = size
	}
	return nil
}

// commitLess writes a group that there is no space for: as many of its results as fit, and only the
// costs of the other results and of failures. The next run asks about those again, but counts the
// money as spent. The error says so.
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

// costsOf returns a group with the given number of whole results. Results of batches are left out:
// the provider still has them, and they are collected again.
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
