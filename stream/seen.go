package stream

import (
	"fmt"

	"llmpipe/ledger"
	"llmpipe/stream/record"
)

// seenWindow is how many records a run without a ledger remembers, to find those that come twice.
const seenWindow = 100_000

// memory knows which records this run has met. A ledger's index is one; window is the one of a run without.
type memory interface {
	// Admit looks k up and marks it as met by this run.
	Admit(k ledger.Key) ledger.Found
	// Look looks k up.
	Look(k ledger.Key) ledger.Found
}

// window is the memory of a run without a ledger: the last seenWindow records. It belongs to the reader.
type window struct {
	requests map[uint64]uint64 // id -> request
	order    []uint64          // ids, a ring
	next     int
}

func newWindow() *window {
	return &window{requests: make(map[uint64]uint64)}
}

// Look implements memory.
func (w *window) Look(k ledger.Key) ledger.Found {
	request, ok := w.requests[k.ID]
	switch {
	case !ok:
		return ledger.Found{}
	case request == k.Request:
		return ledger.Found{Seen: ledger.SeenSame}
	default:
		return ledger.Found{Seen: ledger.SeenOther}
	}
}

// Admit implements memory.
func (w *window) Admit(k ledger.Key) ledger.Found {
	found := w.Look(k)
	if found.Seen != ledger.NotSeen {
		return found
	}
	if len(w.order) < seenWindow {
		w.order = append(w.order, k.ID)
	} else {
		delete(w.requests, w.order[w.next])
		w.order[w.next] = k.ID
		w.next = (w.next + 1) % seenWindow
	}
	w.requests[k.ID] = k.Request
	return found
}

// identify gives a record that names no id one made of its content and of how often this run has met that content, and finds its
// key. Occurrences are numbered without gaps, so the number of those met is found by doubling and halving.
func identify(m memory, t *task) {
	if t.ID != nil {
		t.key = ledger.KeyOf(t.ID, &t.Request)
		return
	}
	met := func(occurrence int) bool {
		t.ID = record.GeneratedID(t.Content, occurrence)
		t.key = ledger.KeyOf(t.ID, &t.Request)
		return m.Look(t.key).Seen != ledger.NotSeen
	}
	low, high := 0, 1 // the common case, a content not met before, asks once
	for met(high) {
		low, high = high, high*2
	}
	for high-low > 1 {
		if middle := low + (high-low)/2; met(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	if high > 1 {
		met(high)
	}
}

// duplicateID says that t's id belongs to another record of this run.
func duplicateID(t *task) *record.Error {
	return &record.Error{
		Type:    "invalid_input",
		Code:    "duplicate_id",
		Message: fmt.Sprintf("id %s was used by an earlier record with another request", t.ID),
	}
}
