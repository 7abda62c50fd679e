package index

import "llmpipe/ledger/line"

// Notes holds a number for each record, in a table like an Index's, at 28 to 32 bytes a record.
type Notes struct{ table Index }

// MaxNote is the greatest number that can be noted. The smallest is 1.
const MaxNote = MaxRef

// Of returns the number that is noted for a record, 0 for none, and whether there is a note for
// another request under its id.
func (n *Notes) Of(k line.Key) (note uint64, others bool) {
	x := &n.table
	for i := x.first(k.ID); x.has(i, k.ID); i++ {
		if s := x.at(i); s.request == k.Request {
			note = s.state
		} else {
			others = true
		}
	}
	return note, others
}

// Set notes a number for a record, and replaces an earlier one.
func (n *Notes) Set(k line.Key, note uint64) { n.table.slot(k).state = note }

// EachOther replaces the number of each other request under a record's id by what f returns for it.
func (n *Notes) EachOther(k line.Key, f func(note uint64) uint64) {
	x := &n.table
	for i := x.first(k.ID); x.has(i, k.ID); i++ {
		if s := x.at(i); s.request != k.Request {
			s.state = f(s.state)
		}
	}
}

// Size is the memory that the notes take, in bytes.
func (n *Notes) Size() int { return n.table.Size() }
