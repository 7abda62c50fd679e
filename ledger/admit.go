package ledger

// Seen says whether this run has met an id before.
type Seen uint8

const (
	NotSeen   Seen = iota
	SeenSame       // under the same request: one answer serves both
	SeenOther      // under another request: a duplicate id
)

// Found is what the ledger knows of a record, by its hashes alone: [Ledger.ReadMatch] then compares
// what is on disk.
type Found struct {
	Result  Ref  // of this id under this request, 0 for none
	Other   Ref  // the newest of this id under another request, 0 for none
	Seen    Seen // whether this run has met the id before this call
	Emitted bool // whether it was written to the file of Options.Emitted, before this run met it

	// Shard is the id of the shard that this very record was last submitted in, while that is
	// pending and there is no result. A simulated run's records are never in a real run's shard.
	Shard string
}

// Admit looks a record up and marks it as met by this run. A record that was met under another
// request before is not marked: it is the duplicate, however often it comes.
func (l *Ledger) Admit(k Key) Found {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, slot := l.look(k)
	switch {
	case found.Seen != NotSeen:
	case slot != nil:
		slot.state |= metBit
	default:
		l.index.set(k, 0, metBit)
	}
	return found
}

// Look looks a record up and leaves no trace.
func (l *Ledger) Look(k Key) Found {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, _ := l.look(k)
	return found
}

// look returns what is known of a record, and its slot, nil where it has none. The slot is good
// until the index changes.
func (l *Ledger) look(k Key) (Found, *slot) {
	found, slot := l.index.look(k)
	if slot != nil && slot.intent() != 0 {
		found.Shard = l.shards.pendingAt(slot.intent())
	}
	return found, slot
}

// Recent reports whether a result was appended after the ledger was opened, by this process or by
// another.
func (l *Ledger) Recent(ref Ref) bool { return ref.offset() >= l.opened }

func (x *index) look(k Key) (found Found, its *slot) {
	for i := x.first(k.ID); x.has(i, k.ID); i++ {
		s := x.at(i)
		if s.request == k.Request {
			its, found.Result, found.Emitted = s, s.ref(), s.emitted()
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
