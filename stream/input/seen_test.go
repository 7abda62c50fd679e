package input

import (
	"testing"

	"pgregory.net/rapid"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// A window finds what comes again while it remembers it, and tells the same request from another.
// What it forgets hides nothing that it remembers, however many have their places side by side, and
// around the end of the table.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWindow()
		w.most = rapid.IntRange(1, 12).Draw(t, "window")
		var order []uint64
		model := map[uint64]uint64{}
		for range rapid.IntRange(1, 150).Draw(t, "records") {
			near, far := rapid.Uint64Range(0, 5).Draw(t, "near"), rapid.Uint64Range(0, 3).Draw(t, "far")
			k := ledger.Key{ID: far*firstSlots + (near+firstSlots-3)%firstSlots, Request: rapid.Uint64Range(0, 2).Draw(t, "request")}
			want := ledger.NotSeen
			if request, ok := model[k.ID]; ok {
				want = ledger.SeenOther
				if request == k.Request {
					want = ledger.SeenSame
				}
			} else {
				if len(order) == w.most {
					delete(model, order[0])
					order = order[1:]
				}
				order = append(order, k.ID)
				model[k.ID] = k.Request
			}
			if before := w.Look(k); before.Seen != want {
				t.Fatalf("looked up as %v, want %v", before.Seen, want)
			}
			if got := w.Admit(k); got.Seen != want {
				t.Fatalf("admitted as %v, want %v", got.Seen, want)
			}
			for id, request := range model {
				if w.Look(ledger.Key{ID: id, Request: request}).Seen != ledger.SeenSame {
					t.Fatalf("%d is hidden", id)
				}
			}
		}
	})
}

// What is remembered is bounded, and the oldest goes first.
func TestWindowForgets(t *testing.T) {
	w := newWindow()
	key := func(n uint64) ledger.Key { return ledger.Key{ID: (n + 1) * 0x9e3779b97f4a7c15} } // spread out, as hashes are
	for n := range uint64(2*seenWindow + 10) {
		w.Admit(key(n))
	}
	used := 0
	for _, s := range w.slots {
		if s.id != 0 {
			used++
		}
	}
	if used != seenWindow || len(w.order) != seenWindow || 5*used > 4*len(w.slots) {
		t.Errorf("%d remembered in %d slots", used, len(w.slots))
	}
	oldest := uint64(seenWindow + 10)
	if w.Look(key(oldest)).Seen != ledger.SeenSame || w.Look(key(oldest-1)).Seen != ledger.NotSeen {
		t.Error("another than the oldest was forgotten")
	}
}

// The same content met again and again gets the occurrences 1, 2, 3 and so on, whatever is between.
func TestIdentifyNumbersOccurrences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWindow()
		met := map[byte]int{}
		for range rapid.IntRange(1, 80).Draw(t, "records") {
			content := rapid.ByteRange(0, 3).Draw(t, "content")
			met[content]++
			k := &flow.Task{}
			k.Content = [16]byte{content}
			identify(w, k)
			if want := string(record.GeneratedID(k.Content, met[content])); string(k.ID) != want {
				t.Fatalf("identified as %s, want %s", k.ID, want)
			}
			w.Admit(k.Key)
		}
	})
}
