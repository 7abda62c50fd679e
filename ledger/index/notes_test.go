package index

import (
	"testing"

	"pgregory.net/rapid"

	"llmpipe/ledger/line"
)

// Notes are those of a map, however many there are, and those under one id are found from another.
func TestNotesAreThoseOfAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var notes Notes
		want := map[line.Key]uint64{}
		for range rapid.IntRange(1, 3000).Draw(t, "steps") {
			k := line.Key{ID: rapid.Uint64Range(0, 400).Draw(t, "id") << 55, Request: rapid.Uint64Range(0, 3).Draw(t, "request")}
			others := 0
			for other := range want {
				if other.ID == k.ID && other.Request != k.Request {
					others++
				}
			}
			if note, has := notes.Of(k); note != want[k] || has != (others > 0) {
				t.Fatalf("of %v there is %d, %v, want %d and %d others", k, note, has, want[k], others)
			}
			if rapid.Bool().Draw(t, "add") {
				want[k] = rapid.Uint64Range(1, MaxNote).Draw(t, "note")
				notes.Set(k, want[k])
				continue
			}
			notes.EachOther(k, func(note uint64) uint64 {
				others--
				return note/2 + 1
			})
			if others != 0 {
				t.Fatalf("%d of the others were not met", others)
			}
			for other, note := range want {
				if other.ID == k.ID && other.Request != k.Request {
					want[other] = note/2 + 1
				}
			}
		}
	})
}
