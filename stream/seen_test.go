package stream

import (
	"testing"

	"pgregory.net/rapid"

	"llmpipe/ledger"
	"llmpipe/stream/record"
)

// A window finds what comes again while it remembers it, and tells the same request from another.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWindow()
		model := map[uint64]uint64{}
		for range rapid.IntRange(1, 100).Draw(t, "records") {
			k := ledger.Key{ID: rapid.Uint64Range(0, 9).Draw(t, "id"), Request: rapid.Uint64Range(0, 2).Draw(t, "request")}
			want := ledger.NotSeen
			if request, ok := model[k.ID]; ok {
				want = ledger.SeenOther
				if request == k.Request {
					want = ledger.SeenSame
				}
			} else {
				model[k.ID] = k.Request
			}
			if before := w.Look(k); before.Seen != want {
				t.Fatalf("looked up as %v, want %v", before.Seen, want)
			}
			if got := w.Admit(k); got.Seen != want {
				t.Fatalf("admitted as %v, want %v", got.Seen, want)
			}
		}
	})
}

// What is remembered is bounded, and the oldest goes first.
func TestWindowForgets(t *testing.T) {
	w := newWindow()
	for id := range uint64(2*seenWindow + 10) {
		w.Admit(ledger.Key{ID: id})
	}
	if len(w.requests) != seenWindow || len(w.order) != seenWindow {
		t.Errorf("%d remembered", len(w.requests))
	}
	oldest := uint64(seenWindow + 10)
	if w.Look(ledger.Key{ID: oldest}).Seen != ledger.SeenSame || w.Look(ledger.Key{ID: oldest - 1}).Seen != ledger.NotSeen {
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
			k := &task{}
			k.Content = [16]byte{content}
			identify(w, k)
			if want := string(record.GeneratedID(k.Content, met[content])); string(k.ID) != want {
				t.Fatalf("identified as %s, want %s", k.ID, want)
			}
			w.Admit(k.key)
		}
	})
}
