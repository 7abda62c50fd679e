package index

import "llmpipe/ledger/line"

// Ref is the place of a result in its ledger. The zero Ref is no result.
type Ref uint64

// MaxRef is the greatest Ref that an index can hold: a ledger has at most 256 TiB.
const MaxRef = 1<<48 - 1

// RefAt returns the Ref of a line at an offset. It is the offset plus one, so that a result in the
// very first line has a Ref that is not zero.
func RefAt(offset int64) Ref { return Ref(offset + 1) }

// Offset returns the offset of the line.
func (ref Ref) Offset() int64 { return int64(ref&^otherBit) - 1 }

// otherBit marks the Ref of a result in another ledger. No index holds it.
const otherBit Ref = 1 << 62

// InOther returns ref as the Ref of a result in another ledger.
func (ref Ref) InOther() Ref { return ref | otherBit }

// Other reports whether ref is in another ledger.
func (ref Ref) Other() bool { return ref&otherBit != 0 }

// Newer reports whether ref is a result that came after another one, 0 for none. Results in other
// ledgers were there before any that come into this one.
func (ref Ref) Newer(than Ref) bool {
	if than != 0 && ref.Other() != than.Other() {
		return than.Other()
	}
	return ref > than
}

// Seen says whether this run has met an id before.
type Seen uint8

const (
	NotSeen   Seen = iota
	SeenSame       // under the same request: one answer serves both
	SeenOther      // under another request: a duplicate id
)

// Found is what an index knows of a record.
type Found struct {
	Result  Ref  // of this id under this request, 0 for none
	Other   Ref  // the newest of this id under another request, 0 for none
	Intent  Ref  // the last intent that the record is in; 0 for none, or if there is a result since
	Seen    Seen // whether this run has met the id
	Emitted bool // whether its line was written
	Claimed bool // whether a mark without a proof says so
}

// Look looks a record up without marking it as met.
func (x *Index) Look(k line.Key) Found {
	found, _ := x.look(k)
	return found
}

// Meet looks a record up and marks it as met. A record whose id was met under another request
// before is not marked: it stays a duplicate, however often it comes.
func (x *Index) Meet(k line.Key) Found {
	found, slot := x.look(k)
	switch {
	case found.Seen != NotSeen:
	case slot != nil:
		slot.state |= metBit
	default:
		x.set(k, 0, metBit)
	}
	return found
}

// look returns what is known of a record, and its slot, or nil if it has none. The slot is valid
// until the index changes.
func (x *Index) look(k line.Key) (found Found, its *slot) {
	for i := x.first(k.ID); x.has(i, k.ID); i++ {
		s := x.at(i)
		if s.request == k.Request {
			its, found.Result, found.Intent = s, s.ref(), s.intent()
			if found.Result != 0 && x.again != nil {
				if intent := x.again.Look(k).Result; intent > found.Result {
					found.Intent = intent
				}
			}
			found.Emitted, found.Claimed = s.state&emittedBit != 0, s.state&claimedBit != 0
			if s.met() {
				found.Seen = SeenSame
			}
			continue
		}
		found.Other = max(found.Other, s.ref())
		if s.met() && found.Seen == NotSeen {
			found.Seen = SeenOther
		}
	}
	return found, its
}
