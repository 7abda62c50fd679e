package flow

import (
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
}

// keyOf is what t is known by here.
func (u *Inflight) keyOf(t *Task) ledger.Key {
	if u.ByRequest {
		return ledger.Key{Request: t.Key.Request}
	}
	return t.Key
}

func newInflight() *Inflight {
	return &Inflight{tasks: make(map[ledger.Key]*Task)}
}

// Begin adds t, or joins it to the same record that is in flight already, and reports whether it
// joined: t then waits for that record's commit.
func (u *Inflight) Begin(t *Task) (joined bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
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
