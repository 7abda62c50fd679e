package flow

import "llmpipe/limiter"

// backlog is what a host has answered and no ledger holds yet. Its answers count as in flight: a
// process that is killed loses them, and pays for them again.
type backlog struct {
	flow *Flow
	host *Host
	pack int64 // the most records that a request may be about
}

// Waiting implements [limiter.Backlog].
func (b backlog) Waiting() int { return int(b.host.unrecorded.Load()) }

// Room implements [limiter.Backlog]. Both the memory for answers and the ledger's disk bound it,
// and each host has an equal part of that.
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

// HoldTo bounds the records that are in flight or wait to be recorded. 0 stands for no bound.
func (f *Flow) HoldTo(most int) { f.heldTo.Store(int64(most)) }

// BacklogOf returns h's backlog, for the limiter of its lane. A request there is about pack records
// at most. BacklogOf is called for every host before anything is asked.
func (f *Flow) BacklogOf(h *Host, pack int) limiter.Backlog {
	f.hosts++
	return backlog{f, h, int64(max(1, pack))}
}

// CameBack notes that h has answered t. If the request was about several records, t stands for all
// of them.
func (t *Task) CameBack(h *Host) {
	if t.cameFrom == nil {
		t.cameFrom = h
		h.unrecorded.Add(1)
	}
}

// Recorded notes that tasks are recorded, or never will be, so that more may be asked.
func (f *Flow) Recorded(tasks []*Task) {
	came := false
	for _, t := range tasks {
		came = t.recorded() || came
	}
	if came && f.onRecorded != nil {
		f.onRecorded()
	}
}

// OnRecorded makes the flow call do whenever answers were recorded. OnRecorded is called before
// anything is asked.
func (f *Flow) OnRecorded(do func()) { f.onRecorded = do }

// recorded notes that t no longer waits to be recorded, and reports whether it did.
func (t *Task) recorded() bool {
	if t.cameFrom == nil {
		return false
	}
	t.cameFrom.unrecorded.Add(-1)
	t.cameFrom = nil
	return true
}
