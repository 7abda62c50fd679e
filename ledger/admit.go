package ledger

import "llmpipe/ledger/index"

// Seen says whether this run has met an id before.
type Seen = index.Seen

const (
	NotSeen   = index.NotSeen
	SeenSame  = index.SeenSame  // under the same request: one answer serves both
	SeenOther = index.SeenOther // under another request: a duplicate id
)

// Found is what the ledger knows of a record by its hashes alone. [Ledger.ReadMatch] then compares
// them with what is on disk.
type Found struct {
	Result  Ref  // of this id under this request; 0 for none
	Other   Ref  // the newest of this id under another request; 0 for none
	Seen    Seen // whether this run has met the id before this call
	Emitted bool // whether it was written to the file of Options.Emitted, before this run met it
	Claimed bool // whether a mark without a proof says so: only its line in that file can confirm it

	// Shard is the id of the pending shard that this record was last submitted in, if it has no result
	// since. With a Shard, Result is an earlier answer that was not good enough. A simulated run's
	// records are never in a real run's shard.
	Shard string
}

// Admit looks a record up and marks it as met by this run. A record whose id was met under another
// request before is not marked: it stays a duplicate, however often it comes.
func (l *Ledger) Admit(k Key) Found {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.found(k, l.index.Meet(k))
}

// Look looks a record up without marking it as met.
func (l *Ledger) Look(k Key) Found {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.found(k, l.index.Look(k))
}

// found combines what the index knows of a record with what the rest of the ledger does. The caller
// holds mu.
func (l *Ledger) found(k Key, x index.Found) Found {
	found := Found{Result: x.Result, Other: x.Other, Seen: x.Seen, Emitted: x.Emitted, Claimed: x.Claimed}
	if x.Intent != 0 {
		found.Shard = l.shards.pendingAt(x.Intent)
	}
	l.others.look(k, &found)
	return found
}

// Recent reports whether a result was appended after the ledger was opened, by any process.
func (l *Ledger) Recent(ref Ref) bool { return !ref.Other() && ref.Offset() >= l.opened }

// Same returns where the newest answer to a record's request is, whichever record it answered. It
// returns 0 for none, or without Options.Requests. It compares hashes only: [Reader.ReadSame] then
// compares the requests.
func (l *Ledger) Same(k Key) Ref {
	if l.answers == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers.Look(requestKey(k)).Result
}

// SameShard returns the id of the pending shard that a record's request was last submitted in, for
// whichever record. It is empty for none, or without Options.Requests. It compares hashes only.
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

// foundEqual is found where, with Options.Requests, answers to equal requests and shards with equal
// requests count like the record's own. The caller holds mu.
func (l *Ledger) foundEqual(k Key) Found {
	found := l.found(k, l.index.Look(k))
	if l.answers == nil {
		return found
	}
	if found.Result == 0 {
		found.Result = l.answers.Look(requestKey(k)).Result
	}
	if found.Shard == "" {
		found.Shard = l.sameShard(k)
	}
	return found
}

// requestKey is the key of a request, the same for all ids.
func requestKey(k Key) Key { return Key{ID: k.Request} }
