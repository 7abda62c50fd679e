package flow

import (
	"maps"
	"slices"
	"sync"

	"llmpipe/ledger"
)

// Inflight holds the records between admission and commit by key. A record that comes again
// meanwhile shares the one answer.
type Inflight struct {
	// ByRequest treats records with equal requests as the same record, whatever their ids.
	ByRequest bool
	// InShard returns the pending shard that holds an equal request as far as the ledger knows, empty
	// for none. It is nil without ByRequest, and in a run that does not collect batches.
	InShard func(ledger.Key) string

	mu    sync.Mutex
	tasks map[ledger.Key]*Task

	// kept holds the requests in shards that no ledger knows yet: it maps each request's hash to its
	// shard's index in shards. With ByRequest, other records wait for the answers to these requests. A
	// record that waits for a different request with the same hash is asked about when those answers
	// come.
	kept   map[uint64]uint32
	shards []string
}

// keyOf returns the key that t has in tasks.
func (u *Inflight) keyOf(t *Task) ledger.Key {
	if u.ByRequest {
		return ledger.Key{Request: t.Key.Request}
	}
	return t.Key
}

func newInflight() *Inflight {
	return &Inflight{tasks: make(map[ledger.Key]*Task), kept: make(map[uint64]uint32)}
}

// Begin adds t, or joins it to the same record that is in flight already, and reports whether it
// joined: t then waits for that record's commit.
func (u *Inflight) Begin(t *Task) (joined bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.begin(t)
}

// BeginUnlessKept is Begin for a record that g counts as one to be asked about at once. If t joins
// another record, g no longer counts t so: t waits for the commit, and the commit must not wait for
// t. If an equal request lies in a shard, BeginUnlessKept only returns that shard: it may have got
// there, and its shard into the ledger, since the caller looked.
func (u *Inflight) BeginUnlessKept(t *Task, g *Gate) (joined bool, shard string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	shard = u.keeps(t)
	if shard == "" && u.InShard != nil {
		shard = u.InShard(t.Key)
	}
	if shard != "" {
		return false, shard
	}
	if first := u.tasks[u.keyOf(t)]; first != nil && first.Request == t.Request {
		g.Spare(t) // before others have it
	}
	return u.begin(t), ""
}

func (u *Inflight) begin(t *Task) (joined bool) {
	first, ok := u.tasks[u.keyOf(t)]
	switch {
	case !ok:
		u.tasks[u.keyOf(t)] = t
		return false
	case first.Request != t.Request:
		return false // only their hashes are the same: each is asked
	}
	first.duplicates = append(first.duplicates, t)
	return true
}

// Join joins t to the same record in flight, and reports whether there is one.
func (u *Inflight) Join(t *Task) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	first, ok := u.tasks[u.keyOf(t)]
	if ok = ok && first.Request == t.Request; ok {
		first.duplicates = append(first.duplicates, t)
	}
	return ok
}

// End removes t, and returns the duplicates that share its fate.
func (u *Inflight) End(t *Task) []*Task {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.tasks[u.keyOf(t)] != t {
		return nil
	}
	delete(u.tasks, u.keyOf(t))
	duplicates := t.duplicates
	t.duplicates = nil
	return duplicates
}

// Keep notes that t's request lies in a shard from now on. It only returns false if an equal
// request is in flight, or lies in a shard already.
func (u *Inflight) Keep(t *Task, shard string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if first := u.tasks[u.keyOf(t)]; first != nil && first.Request == t.Request || u.keeps(t) != "" {
		return false
	}
	at := len(u.shards) - 1 // mostly it is one of the last
	for at >= 0 && u.shards[at] != shard {
		at--
	}
	if at < 0 {
		at, u.shards = len(u.shards), append(u.shards, shard)
	}
	u.kept[t.Key.Request] = uint32(at)
	return true
}

// Kept returns the shard, unknown to any ledger yet, that holds a request equal to t's; empty for
// none.
func (u *Inflight) Kept(t *Task) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.keeps(t)
}

// Keeps is how many requests lie in shards that no ledger knows yet.
func (u *Inflight) Keeps() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.kept)
}

func (u *Inflight) keeps(t *Task) string {
	if at, ok := u.kept[t.Key.Request]; ok {
		return u.shards[at]
	}
	return ""
}

// LetGo notes that t's request no longer lies in its shard.
func (u *Inflight) LetGo(t *Task) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.kept, t.Key.Request)
}

// LetGoAll notes that the ledger now knows a shard's requests, or that they no longer lie there.
func (u *Inflight) LetGoAll(shard string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	gone := slices.Index(u.shards, shard)
	if gone < 0 {
		return
	}
	maps.DeleteFunc(u.kept, func(_ uint64, at uint32) bool { return int(at) == gone })
	if len(u.kept) == 0 { // a map keeps the memory of what was deleted
		u.kept, u.shards = make(map[uint64]uint32), nil
	}
}
