// Package index is a ledger's index in memory. For each record, identified by hashes of its id and
// its request, it holds the place of its result and what else the run knows of it.
package index

import (
	"math/bits"
	"unsafe"

	"llmpipe/ledger/line"
)

// Index is an open-addressed table that stays sorted by id hash. A slot's home is its hash scaled
// to the table's length, so homes and hashes are in the same order, and a linear probe may end at
// the first greater hash. That lets the table be nearly full. It also lets it grow in place, an
// eighth at a time, by adding pages that are never moved or released. So there is never a second
// copy of it, and it holds no pointers for the garbage collector to follow. Most of it is not even
// in the collector's heap; see memory.go.
//
// At 24 bytes a slot and a load between 0.75 and 0.85, a record costs 28 to 32 bytes, also while
// the table grows.
type Index struct {
	memory  memory
	pages   []*page
	homes   uint64 // a hash h has its home at h*homes/2^64
	slots   int    // in use
	results int    // slots with a result

	// again has the last intents of records that were submitted although they have a result, because
	// that was not good enough; nil before the first. A later line of the record replaces its entry.
	again *Index
}

const (
	pageBits  = 10 // 24 KiB, a size the allocator has without waste
	pageSlots = 1 << pageBits

	// The last slots are not the home of any hash, so that the last homes have room to overflow.
	spareSlots = 64

	// A slot's state: the place of its result, and what else is known of it.
	metBit       = 1 << 62
	emittedBit   = 1 << 63
	blankBit     = 1 << 61 // nothing is known, but the slot is in use
	shardBit     = 1 << 60 // the place is of the last intent: there is no result
	claimedBit   = 1 << 59 // a mark without a proof says that its line was written
	maxLoadNum   = 17      // grow beyond 17/20 = 0.85
	maxLoadDenom = 20
	growthDenom  = 8 // by an eighth
)

type page [pageSlots]slot

// A slot is in use if its state is not zero: the record has a result, or was submitted, met,
// emitted, or claimed to be emitted.
type slot struct {
	id, request uint64
	state       uint64
}

// ref is the place of the result, 0 for none.
func (s *slot) ref() Ref {
	if s.state&shardBit != 0 {
		return 0
	}
	return Ref(s.state & MaxRef)
}

// intent is the place of the last intent of a record without a result, 0 for none.
func (s *slot) intent() Ref {
	if s.state&shardBit == 0 {
		return 0
	}
	return Ref(s.state & MaxRef)
}

func (s *slot) met() bool { return s.state&metBit != 0 }

func (x *Index) at(i int) *slot { return &x.pages[i>>pageBits][i&(pageSlots-1)] }

func (x *Index) capacity() int { return len(x.pages) << pageBits }

func (x *Index) home(id uint64) int {
	hi, _ := bits.Mul64(id, x.homes)
	return int(hi)
}

// first returns the position of the first slot of an id, or the position where it belongs.
func (x *Index) first(id uint64) int {
	i, end := x.home(id), x.capacity()
	for i < end {
		if s := x.at(i); s.state == 0 || s.id >= id {
			break
		}
		i++
	}
	return i
}

// has reports whether the slot at i belongs to the id. The slots of one id are adjacent.
func (x *Index) has(i int, id uint64) bool {
	if i >= x.capacity() {
		return false
	}
	s := x.at(i)
	return s.state != 0 && s.id == id
}

// Results is the number of records that have a result.
func (x *Index) Results() int { return x.results }

// Size is the memory that the index takes, in bytes.
func (x *Index) Size() int { return x.capacity() * int(unsafe.Sizeof(slot{})) }

// find returns the slot of a key, or nil. The slot is valid until the next set.
func (x *Index) find(k line.Key) *slot {
	for i := x.first(k.ID); x.has(i, k.ID); i++ {
		if s := x.at(i); s.request == k.Request {
			return s
		}
	}
	return nil
}

// slot is find for a key that is about to get a state: it adds a slot if there is none.
func (x *Index) slot(k line.Key) *slot {
	if s := x.find(k); s != nil {
		return s
	}
	s := x.insert(slot{id: k.ID, request: k.Request})
	x.slots++
	return s
}

// Set notes the place of a record's result. It replaces an older result, whose line may have been
// emitted while the new one's was not, and an intent.
func (x *Index) Set(k line.Key, ref Ref) { x.set(k, ref, 0) }

// set adds to the state of a key: a mark, or a result.
func (x *Index) set(k line.Key, ref Ref, marks uint64) {
	s := x.slot(k)
	s.state |= marks
	if ref > s.ref() {
		if s.ref() == 0 {
			x.results++
		} else {
			s.state &^= emittedBit | claimedBit
		}
		s.state = s.state&^(MaxRef|shardBit) | uint64(ref)
	}
}

// Submit notes the intent that a record is in. A result that the record has keeps its place: it was
// not good enough, and the intent asks for another answer.
func (x *Index) Submit(k line.Key, intent Ref) {
	s := x.slot(k)
	if s.ref() == 0 {
		s.state = s.state&^MaxRef | shardBit | uint64(intent)
		return
	}
	if x.again == nil {
		x.again = new(Index)
	}
	x.again.Set(k, intent)
}

// MarkEmitted notes that a record's line was written. If this run has met the record, the record
// keeps the state it had then: otherwise a duplicate that follows would not be written, because the
// first one's line just was.
func (x *Index) MarkEmitted(k line.Key) { x.mark(k, emittedBit) }

// Claim notes, in the same way, that a mark without a proof says that a record's line was written.
func (x *Index) Claim(k line.Key) { x.mark(k, claimedBit) }

func (x *Index) mark(k line.Key, bit uint64) {
	if s := x.find(k); s == nil || !s.met() {
		x.set(k, 0, bit)
	}
}

// HasClaims reports whether there is a record with only such a mark.
func (x *Index) HasClaims() bool {
	for i := range x.capacity() {
		if x.at(i).state&(claimedBit|emittedBit) == claimedBit {
			return true
		}
	}
	return false
}

// ForgetClaimed removes the claims from every slot. A slot that had nothing else stays in use, with
// nothing known.
func (x *Index) ForgetClaimed() {
	for i := range x.capacity() {
		if s := x.at(i); s.state&claimedBit != 0 {
			s.state = s.state&^claimedBit | blankBit
		}
	}
}

// insert makes room for a new slot in order, and returns it so that its state can be set.
func (x *Index) insert(s slot) *slot {
	if (x.slots+1)*maxLoadDenom > x.capacity()*maxLoadNum {
		x.grow(max(1, len(x.pages)/growthDenom))
	}
	at := x.first(s.id)
	free := at
	for free < x.capacity() && x.at(free).state != 0 {
		free++
	}
	if free == x.capacity() {
		x.extend(free + 1) // more overflow than there were spare slots
	}
	for i := free; i > at; i-- {
		*x.at(i) = *x.at(i - 1)
	}
	*x.at(at) = s
	return x.at(at)
}

// Reserve grows the table at once for up to that many new slots, which would otherwise take many
// steps.
func (x *Index) Reserve(slots int) {
	need := (x.slots + slots) * maxLoadDenom / maxLoadNum
	if more := need>>pageBits + 1 - len(x.pages); more > 0 {
		x.grow(more)
	}
}

// grow adds pages and spreads the slots over them, in place. First it moves all slots to the far
// end, from the last to the first. Then it moves each to its new home or next to its predecessor,
// from the first to the last. The second pass never overtakes itself: no slot's final place is
// beyond where it waits, since as many slots follow it there as here.
func (x *Index) grow(more int) {
	old := x.capacity()
	x.extend(old + more<<pageBits)
	x.homes = uint64(x.capacity() - spareSlots)

	next, count := 0, 0
	for i := range old {
		if s := x.at(i); s.state != 0 {
			next = max(next, x.home(s.id)) + 1
			count++
		}
	}
	x.extend(next)

	write := x.capacity()
	for i := old - 1; i >= 0; i-- {
		if s := x.at(i); s.state != 0 {
			write--
			x.move(write, i)
		}
	}
	next = 0
	for i := x.capacity() - count; i < x.capacity(); i++ {
		to := max(next, x.home(x.at(i).id))
		x.move(to, i)
		next = to + 1
	}
}

func (x *Index) move(to, from int) {
	if to != from {
		*x.at(to) = *x.at(from)
		*x.at(from) = slot{}
	}
}

// extend adds pages until there are that many slots.
func (x *Index) extend(slots int) {
	if more := slots - x.capacity(); more > 0 {
		x.pages = x.memory.pages(x.pages, (more+pageSlots-1)>>pageBits)
	}
}
