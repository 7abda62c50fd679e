package flow

import (
	"sync"

	"llmpipe/ledger"
)

// Inflight are the records between admission and commit, by key, so that a record that comes again
// while it is being asked about shares the one answer.
type Inflight struct {
	mu    sync.Mutex
	tasks map[ledger.Key]*Task
}

func newInflight() *Inflight {
	return &Inflight{tasks: make(map[ledger.Key]*Task)}
}

// Begin notes that t is under way, or that it is the duplicate of a record that is, and reports the
// latter: t then belongs to the commit.
func (u *Inflight) Begin(t *Task) (joined bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if first, ok := u.tasks[t.Key]; ok {
		first.duplicates = append(first.duplicates, t)
		return true
	}
	u.tasks[t.Key] = t
	return false
}

// Join notes that t is the duplicate of a record that is under way, and reports whether there is
// one.
func (u *Inflight) Join(t *Task) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	first, ok := u.tasks[t.Key]
	if ok {
		first.duplicates = append(first.duplicates, t)
	}
	return ok
}

// End notes that t's fate is known, and returns the duplicates that share it.
func (u *Inflight) End(t *Task) []*Task {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.tasks[t.Key] != t {
		return nil
	}
	delete(u.tasks, t.Key)
	duplicates := t.duplicates
	t.duplicates = nil
	return duplicates
}
