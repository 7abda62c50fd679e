package batch

import (
	"errors"

	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// With --dedupe equal requests under different ids are asked about once. The first record that
// comes leads. The others are written into a second spool of the leader's shard. They get the
// leader's answer when it is recorded, or share its failure. From the intent on, the ledger tells
// which shard the leader is in, so that a later run knows it too; before that, [flow.Inflight]
// does.

// sameShard returns the id of the pending shard that holds a request equal to t's; empty for none.
func (b *Batches) sameShard(t *flow.Task) string {
	if !b.flow.Inflight.ByRequest {
		return ""
	}
	if id := b.flow.Inflight.Kept(t); id != "" {
		return id
	}
	return b.journal.Ledger.SameShard(t.Key)
}

// follow makes t wait for the answer to an equal request, or gives t the recorded one. It reports
// whether there is an equal request, in which case t is taken care of.
func (f *assembler) follow(t *flow.Task) bool {
	b := f.batches
	if !f.flow.Inflight.ByRequest {
		return false
	}
	for {
		if f.flow.Inflight.Join(t) {
			return true
		}
		id := b.sameShard(t)
		if id == "" {
			recalled := b.journal.Recall(t, b.journal.Ledger.Look(t.Key))
			if recalled {
				f.flow.Finish(t)
			}
			return recalled
		}
		s, elsewhere := b.find(id)
		switch {
		case elsewhere:
			f.flow.Counts.Elsewhere.Add(1)
			f.flow.Finish(t)
			return true
		case s != nil && s.attachTo(&s.claims.same, t):
			return true
		}
		// The shard is not pending any more.
	}
}

// errSame says that an equal request has been sent since the check for one.
var errSame = errors.New("an equal request has been sent")

// keep notes that t's request lies in s. It reports false if an equal one is asked about already.
func (f *assembler) keep(t *flow.Task, s *shard) bool {
	return !f.flow.Inflight.ByRequest || f.flow.Inflight.Keep(t, s.id)
}

// fails notes t's error for the records with equal requests.
func (d *delivery) fails(t *flow.Task) {
	if !d.flow.Inflight.ByRequest {
		return
	}
	if d.failures == nil {
		d.failures = make(map[[32]byte]*record.Error)
	}
	d.failures[t.Request] = t.Err
}

// handSame gives the recorded answers to the records whose requests equal one in the shard.
func (d *delivery) handSame() error {
	d.shard.claims.mu.Lock()
	spool := d.shard.claims.same
	d.shard.claims.mu.Unlock()
	if spool == nil {
		return nil
	}
	b := d.shard.batches
	err := b.readBack(d.flow.Stop.Waiting, spool, b.comeBack, func(t *flow.Task) error {
		d.giveSame(t)
		return nil
	})
	d.shard.answered.Committing.Wait()
	return err
}

// giveSame gives t the answer of the record that leads, or its failure. If that record has neither,
// t waits for its next answer.
func (d *delivery) giveSame(t *flow.Task) {
	t.Shaped = nil
	t.Resume(d.shard.kind.turn) // a misfit in that turn is the leader's
	recalled := d.journal.Recall(t, d.journal.Ledger.Look(t.Key))
	failure := d.failures[t.Request]
	attempts := d.shard.round
	if t.Misfit() && !t.Shaped.Again {
		failure, attempts = t.Shaped.Fit.Err(), 0 // the leader's line has the attempts
	}
	switch {
	case recalled:
	case failure != nil:
		t.Duplicate, t.Attempts = true, attempts // the attempts are the leader's, and recorded as such
		shared := *failure
		t.Fail(&shared)
	case d.status != batchCancelled && !d.found.stopped && !d.flow.Stop.Ending() && d.shard.keepSame(t):
		return
	default:
		d.unsent++
		d.flow.Finish(t)
		return
	}
	d.commit(t)
}

// keepSame keeps t until the shard is collected, so that t then follows the record that leads. If
// it cannot keep t, it ends the run and reports false.
func (s *shard) keepSame(t *flow.Task) bool {
	t.Shaped = nil
	if err := s.keepIn(&s.rest.same, t); err != nil {
		s.flow.Stop.Fail(err)
		return false
	}
	return true
}
