package flow

import (
	"maps"
	"slices"
	"sync"

	"llmpipe/ledger"
)

// Inflight holds the records between admission and commit by key, so that a record that comes again
// meanwhile shares the one answer.
type Inflight struct {
	// ByRequest takes records for the same whose requests are equal, whatever their ids.
	ByRequest bool

	mu    sync.Mutex
	tasks map[ledger.Key]*Task

	// kept are the requests, by their hashes, that lie in shards which no ledger knows yet, and each
	// one's place in shards. With ByRequest others wait for their answers there: who waits for another
	// request with the same hash is asked about when those come.
	kept   map[uint64]uint32
	shards []string
}

// keyOf is what t is known by here.
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

// BeginUnlessKept is Begin for a record that is to be asked about at once, as g knows. One that
// joins another is not: it waits for the commit, which is not to wait for it. Where an equal
// request lies in a shard, nothing is done but say in which.
func (u *Inflight) BeginUnlessKept(t *Task, g *Gate) (joined bool, shard string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if shard := u.keeps(t); shard != "" {
		return false, shard
	}
	if first := u.tasks[u.keyOf(t)]; first != nil && first.Request == t.Request {
		g.Spare(t) // before it is in other hands
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
		return false // no more than their hashes are the same: each is asked
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

// Keep notes that t's request lies in a shard from now on, and reports false where an equal one is
// in flight, or in another shard.
func (u *Inflight) Keep(t *Task, shard string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if first := u.tasks[u.keyOf(t)]; first != nil && first.Request == t.Request || u.keeps(t) != "" {
		return false
	}
	at := len(u.shards) - 1 // it mostly is one of the last
	for at >= 0 && u.shards[at] != shard {
		at--
	}
	if at < 0 {
		at, u.shards = len(u.shards), append(u.shards, shard)
	}
	u.kept[t.Key.Request] = uint32(at)
	return true
}

// Kept says in which shard an equal request to t's lies that no ledger knows yet; empty for none.
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

// LetGo notes that t's request lies in its shard no more.
func (u *Inflight) LetGo(t *Task) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.kept, t.Key.Request)
}

// LetGoAll notes that the ledger knows a shard's requests by now, or that they lie there no more.
func (u *Inflight) LetGoAll(shard string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	gone := slices.Index(u.shards, shard)
	if gone < 0 {
		return
	}
	maps.DeleteFunc(u.kept, func(_ uint64, at uint32) bool { return int(at) == gone })
	if len(u.kept) == 0 { // of very many their memory would stay
		u.kept, u.shards = make(map[uint64]uint32), nil
	}
}
