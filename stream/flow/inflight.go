package flow

import (
	"sync"

	"llmpipe/ledger"
)

// Inflight holds the records between admission and commit by key, so that a record that comes again
// meanwhile shares the one answer.
type Inflight struct {
	mu    sync.Mutex
	tasks map[ledger.Key]*Task
}

func newInflight() *Inflight {
	return &Inflight{tasks: make(map[ledger.Key]*Task)}
}

// Begin adds t, or joins it to the same record that is in flight already, and reports whether it
// joined: t then waits for that record's commit.
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

// Join joins t to the same record in flight, and reports whether there is one.
func (u *Inflight) Join(t *Task) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	first, ok := u.tasks[t.Key]
	if ok {
		first.duplicates = append(first.duplicates, t)
	}
	return ok
}

// End removes t, and returns the duplicates that share its fate.
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
