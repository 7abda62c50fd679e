package ledger

import "llmpipe/ledger/index"

// Seen says whether this run has met an id before.
type Seen = index.Seen

const (
	NotSeen   = index.NotSeen
	SeenSame  = index.SeenSame  // under the same request: one answer serves both
	SeenOther = index.SeenOther // under another request: a duplicate id
)

// Found is what the ledger knows of a record, by its hashes alone: [Ledger.ReadMatch] then compares
// what is on disk.
type Found struct {
	Result  Ref  // of this id under this request, 0 for none
	Other   Ref  // the newest of this id under another request, 0 for none
	Seen    Seen // whether this run has met the id before this call
	Emitted bool // whether it was written to the file of Options.Emitted, before this run met it
	Claimed bool // whether a mark says so that nothing but its line in that file can prove

	// Shard is the id of the shard that this very record was last submitted in, while that is
	// pending and there is no result of it: with a Shard, Result is what was recorded before, and did
	// not serve. A simulated run's records are never in a real run's shard.
	Shard string
}

// Admit looks a record up and marks it as met by this run. A record that was met under another
// request before is not marked: it is the duplicate, however often it comes.
func (l *Ledger) Admit(k Key) Found {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.found(k, l.index.Meet(k))
}

// Look looks a record up and leaves no trace.
func (l *Ledger) Look(k Key) Found {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.found(k, l.index.Look(k))
}

// found adds to what the index knows of a record what the rest of the ledger does. The caller holds
// mu.
func (l *Ledger) found(k Key, x index.Found) Found {
	found := Found{Result: x.Result, Other: x.Other, Seen: x.Seen, Emitted: x.Emitted, Claimed: x.Claimed}
	if x.Intent != 0 {
		found.Shard = l.shards.pendingAt(x.Intent)
	}
	l.others.look(k, &found)
	return found
}

// Recent reports whether a result was appended after the ledger was opened, by this process or by
// another.
func (l *Ledger) Recent(ref Ref) bool { return !ref.Other() && ref.Offset() >= l.opened }

// Same returns where the newest answer to a record's very request stands, whoever's it is; 0 for
// none, or without Options.Requests. The hash alone is compared: [Reader.ReadSame] then compares
// the request.
func (l *Ledger) Same(k Key) Ref {
	if l.answers == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers.Look(requestKey(k)).Result
}

// SameShard is the id of the pending shard that an equal request to a record's was last submitted
// in, whoever's it is; empty for none, or without Options.Requests. The hash alone is compared.
func (l *Ledger) SameShard(k Key) string {
	if l.answers == nil {
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sameShard(k)
}

func (l *Ledger) sameShard(k Key) string {
	if x := l.answers.Look(requestKey(k)); x.Intent != 0 {
		return l.shards.pendingAt(x.Intent)
	}
	return ""
}

// requestKey is the same for all ids of a request.
func requestKey(k Key) Key { return Key{ID: k.Request} }
