package journal

import "fmt"

// Prepare checks, before anything is asked, that answers can be recorded, and that there is space
// for the answers to the first requests.
func (j *Journal) Prepare() error {
	err := j.Ledger.Prepare()
	if err == nil && j.cfg.Job != "" {
		err = j.Ledger.Join()
	}
	if err == nil {
		err = j.keepRoom()
	}
	j.prepared.Store(err == nil)
	return err
}

// Prepared reports whether [Journal.Prepare] has found that answers can be recorded.
func (j *Journal) Prepared() bool { return j.prepared.Load() }

// keepRoom keeps space on the disk for all answers that may be in flight or wait to be recorded. If
// there is less space, fewer records are asked at a time. It returns an error if there is no space
// for a single answer.
func (j *Journal) keepRoom() error {
	most := 2 * j.flow.Gate.Allowed()
	enough, err := j.Ledger.KeepRoom(most)
	if err != nil {
		return err
	}
	if enough < most && !j.toldShort {
		j.toldShort = true
		j.flow.Voice.Warn("the disk of ledger %s is nearly full: only as many records are sent as there is space for", j.cfg.Path)
	}
	if enough == most {
		enough = 0
	}
	j.flow.HoldTo(enough)
	return nil
}

// endForRoom ends the run once there is no space for a further answer. Answers in flight have their
// space already.
func (j *Journal) endForRoom(err error) {
	j.flow.Stop.Fail(j.HintAtWrite(fmt.Errorf("nothing more is sent: %w", err), MakeRoom))
}
