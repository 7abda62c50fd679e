package index

import "llmpipe/ledger/line"

// Notes is a number for each record, in a table like an Index's: at 28 to 32 bytes a record.
type Notes struct{ table Index }

// MaxNote is the greatest number that can be noted. The least is 1.
const MaxNote = MaxRef

// Of returns what is noted of a record, 0 for nothing, and whether there is a note of another
// request under its id.
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

// Set notes a number of a record, in the place of what was noted.
func (n *Notes) Set(k line.Key, note uint64) { n.table.slot(k).state = note }

// EachOther notes what f returns for what is noted of each other request under a record's id.
func (n *Notes) EachOther(k line.Key, f func(note uint64) uint64) {
	x := &n.table
	for i := x.first(k.ID); x.has(i, k.ID); i++ {
		if s := x.at(i); s.request != k.Request {
			s.state = f(s.state)
		}
	}
}

// Size is how much memory the notes take, in bytes.
func (n *Notes) Size() int { return n.table.Size() }
