package flow

import "llmpipe/limiter"

// backlog is what a host has answered and no ledger holds yet. It counts as in flight: a process
// that is killed loses it, and pays for it again.
type backlog struct {
	flow *Flow
	host *Host
	pack int64 // records that a request may be about
}

// Waiting implements [limiter.Backlog].
func (b backlog) Waiting() int { return int(b.host.unrecorded.Load()) }

// Room implements [limiter.Backlog]: in the memory that answers take, and on the ledger's disk. Of
// both each host has its part.
func (b backlog) Room() int {
	most := int64(0)
	for _, room := range [...]int64{b.flow.Gate.expected.Load(), b.flow.heldTo.Load()} {
		if room > 0 && (most == 0 || room < most) {
			most = room
		}
	}
	if most == 0 {
		return 0
	}
	return int(max(1, most/(b.pack*int64(b.flow.hosts))))
}

// HoldTo holds what is in flight or waits to be recorded to so many records; 0 stands for any
// number.
func (f *Flow) HoldTo(most int) { f.heldTo.Store(int64(most)) }

// BacklogOf is h's, for the limiter of its lane, where a request is about so many records at most.
// It is called for every host before anything is asked.
func (f *Flow) BacklogOf(h *Host, pack int) limiter.Backlog {
	f.hosts++
	return backlog{f, h, int64(max(1, pack))}
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
