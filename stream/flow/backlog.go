package flow

import "llmpipe/limiter"

// backlog is what a host has answered and no ledger holds yet. It counts as in flight: a process
// that is killed loses it, and pays for it again.
type backlog struct {
	flow *Flow
	host *Host
}

// Waiting implements [limiter.Backlog].
func (b backlog) Waiting() int { return int(b.host.unrecorded.Load()) }

// Room implements [limiter.Backlog]: in the memory that answers take, of which each host has its
// part.
func (b backlog) Room() int {
	most := int(b.flow.Gate.expected.Load())
	if most == 0 {
		return 0
	}
	return max(1, most/b.flow.hosts)
}

// BacklogOf is h's, for the limiter of its lane. It is called for every host before anything is
// asked.
func (f *Flow) BacklogOf(h *Host) limiter.Backlog {
	f.hosts++
	return backlog{f, h}
}

// CameBack notes that h has answered t, for which it stands alone where a request was about
// several.
func (t *Task) CameBack(h *Host) {
	if t.cameFrom == nil {
		t.cameFrom = h
		h.unrecorded.Add(1)
	}
}

// Recorded notes that tasks are safe, or will never be: more may be asked.
func (f *Flow) Recorded(tasks []*Task) {
	came := false
	for _, t := range tasks {
		came = t.recorded() || came
	}
	if came && f.onRecorded != nil {
		f.onRecorded()
	}
}

// OnRecorded has do called whenever answers were recorded. It is called before anything is asked.
func (f *Flow) OnRecorded(do func()) { f.onRecorded = do }

// recorded reports whether t waited for that.
func (t *Task) recorded() bool {
	if t.cameFrom == nil {
		return false
	}
	t.cameFrom.unrecorded.Add(-1)
	t.cameFrom = nil
	return true
}
