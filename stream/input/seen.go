package input

import (
	"fmt"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// seenWindow is how many records a run without a ledger remembers, to find duplicates.
const seenWindow = 100_000

// memory remembers the records of this run. It is a ledger's index, or the window of a run without
// a ledger.
type memory interface {
	// Admit looks k up and marks it as seen in this run.
	Admit(k ledger.Key) ledger.Found
	// Look looks k up.
	Look(k ledger.Key) ledger.Found
}

// window is the memory of a run without a ledger: the last seenWindow records. The reader owns it.
//
// It is an open-addressed table of hashes. A map would take twice the memory, and hardly less time.
type window struct {
	most  int      // records
	slots []slot   // a power of two of them
	order []uint64 // ids, a ring
	next  int
}

// slot is what is known of a record. One whose id is 0 is free.
type slot struct{ id, request uint64 }

// firstSlots is how many there are for a few records.
const firstSlots = 1 << 10

func newWindow() *window { return &window{most: seenWindow, slots: make([]slot, firstSlots)} }

// idOf is k's id, with another number for the one id in 2^64 that marks a free slot.
func idOf(k ledger.Key) uint64 {
	if k.ID == 0 {
		return 1 << 63
	}
	return k.ID
}

// at returns the slot of an id, or the free slot where it belongs.
func (w *window) at(id uint64) int {
	mask := len(w.slots) - 1
	i := int(id) & mask
	for w.slots[i].id != id && w.slots[i].id != 0 {
		i = (i + 1) & mask
	}
	return i
}

// Look implements memory.
func (w *window) Look(k ledger.Key) ledger.Found {
	switch s := w.slots[w.at(idOf(k))]; {
	case s.id == 0:
		return ledger.Found{}
	case s.request == k.Request:
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
	id := idOf(k)
	if len(w.order) < w.most {
		w.order = append(w.order, id)
		w.makeRoom()
	} else {
		w.forget(w.order[w.next])
		w.order[w.next] = id
		w.next = (w.next + 1) % w.most
	}
	w.slots[w.at(id)] = slot{id, k.Request}
	return found
}

// makeRoom keeps a fifth of the slots free.
func (w *window) makeRoom() {
	if 5*len(w.order) <= 4*len(w.slots) {
		return
	}
	before := w.slots
	w.slots = make([]slot, 2*len(before))
	for _, s := range before {
		if s.id != 0 {
			w.slots[w.at(s.id)] = s
		}
	}
}

// forget frees the slot of an id, and moves up those behind it that could not be found otherwise.
func (w *window) forget(id uint64) {
	mask := len(w.slots) - 1
	free := w.at(id)
	for i := (free + 1) & mask; w.slots[i].id != 0; i = (i + 1) & mask {
		place := int(w.slots[i].id) & mask
		if (i-place)&mask >= (i-free)&mask {
			w.slots[free] = w.slots[i]
			free = i
		}
	}
	w.slots[free] = slot{}
}

// Met tells which records a run without a ledger would not ask because it has seen them before.
type Met struct{ window *window }

// NewMet returns a Met that has seen no record.
func NewMet() *Met { return &Met{newWindow()} }

// Again reports whether the same record was seen before. A record that reuses the id of another one
// fails.
func (m *Met) Again(t *flow.Task) bool {
	identify(m.window, t)
	switch m.window.Admit(t.Key).Seen {
	case ledger.SeenOther:
		t.Fail(duplicateID(t))
	case ledger.SeenSame:
		return true
	}
	return false
}

// identify sets t's key. A record without an id gets one made from its content and its occurrence
// number in this run. Occurrences are numbered without gaps, so the number is found by doubling and
// then bisecting.
func identify(m memory, t *flow.Task) {
	if t.ID != nil {
		t.Key = ledger.KeyOf(t.ID, &t.Request)
		return
	}
	met := func(occurrence int) bool {
		t.ID = record.GeneratedID(t.Content, occurrence)
		t.Key = ledger.KeyOf(t.ID, &t.Request)
		return m.Look(t.Key).Seen != ledger.NotSeen
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
func duplicateID(t *flow.Task) *record.Error {
	return &record.Error{
		Type:    "invalid_input",
		Code:    "duplicate_id",
		Message: fmt.Sprintf("id %s was used by an earlier record with another request", t.ID),
	}
}
