package stream

import (
	"sync"

	"llmpipe/ledger"
)

// underway are the records between admission and commit, by key, so that a record that comes again while it is being asked about
// shares the one answer.
type underway struct {
	mu    sync.Mutex
	tasks map[ledger.Key]*Task
}

func newUnderway() *underway {
	return &underway{tasks: make(map[ledger.Key]*Task)}
}

// begin notes that t is under way, or that it is the twin of a record that is, and reports the latter: t then belongs to the commit.
func (u *underway) begin(t *Task) (joined bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if first, ok := u.tasks[t.key]; ok {
		first.twins = append(first.twins, t)
		return true
	}
	u.tasks[t.key] = t
	return false
}

// join notes that t is the twin of a record that is under way, and reports whether there is one.
func (u *underway) join(t *Task) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	first, ok := u.tasks[t.key]
	if ok {
		first.twins = append(first.twins, t)
	}
	return ok
}

// end notes that t's fate is known, and returns the twins that share it.
func (u *underway) end(t *Task) []*Task {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.tasks[t.key] != t {
		return nil
	}
	delete(u.tasks, t.key)
	twins := t.twins
	t.twins = nil
	return twins
}
