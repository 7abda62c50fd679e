package batch

import (
	"bytes"

	"llmpipe/stream/flow"
)

// An answer that does not fit the schema is recorded like any other. Then its record goes on into a
// batch of the next turn, when this one is collected: what was said before is read back from the
// ledger as the request is written, and so is never in memory for more than one record. How many
// turns a conversation has taken is the same for all of a shard, and stands in its intent: so
// whoever collects it knows.

// reask keeps t, and those that wait for its answer, for a batch of the next turn.
func (s *shard) reask(t *flow.Task) bool {
	if s.flow.Stop.Ending() {
		return false
	}
	id, committing, inflight := bytes.Clone(t.ID), t.Batched, s.flow.Inflight
	twins := inflight.End(t)
	if !s.keepTurn(t) {
		inflight.Begin(t)
		for _, twin := range twins {
			inflight.Begin(twin)
		}
		return false
	}
	for _, twin := range twins {
		kept := false
		if bytes.Equal(twin.ID, id) {
			twin.Duplicate = true
			kept = s.keepTurn(twin)
		} else {
			kept = s.keepSame(twin)
		}
		if !kept {
			s.batches.letGo(twin) // it is unsent
		}
	}
	committing.Committing.Done()
	return true
}

// keepTurn keeps t for the next turn, a duplicate behind all that are none: the first of a kind has
// what that costs in its line. It reports false where that cannot be, and the run ends.
func (s *shard) keepTurn(t *flow.Task) bool {
	to, asks := &s.rest.turns, int64(1)
	if t.Duplicate {
		to, asks = &s.rest.twins, 0
	}
	t.Resume(s.kind.turn)
	if err := s.keepIn(to, t); err != nil {
		s.flow.Stop.Fail(err)
		return false
	}
	s.flow.Counts.Reasked.Add(asks)
	return true
}

// resume gives t what is known of its conversation, before its answer is looked at.
func (d *delivery) resume(t *flow.Task) {
	t.Resume(d.shard.kind.turn)
}

// recall gives t the result that is recorded for it, and reports whether there is one that serves.
// What was recorded before the shard was intended is what its answer follows.
func (d *delivery) recall(t *flow.Task) bool {
	found := d.journal.Ledger.Look(t.Key)
	if found.Shard != d.shard.id {
		return d.journal.Recall(t, found)
	}
	if !found.Result.Other() || d.shard.kind.turn > 0 {
		d.journal.Before(t, found, d.shard.kind.turn > 0)
		return false
	}
	return d.journal.Recall(t, found) // another ledger's
}

// overtaken reports whether t's answer in this batch was recorded since t was looked at.
func (d *delivery) overtaken(t *flow.Task) bool {
	return t.Duplicate && d.journal.Ledger.Look(t.Key).Shard != d.shard.id
}

// lapsed takes t over where its answer in this batch is recorded already, and does not fit: t goes
// into the next turn, or has failed. first says that nobody has taken that answer before.
func (d *delivery) lapsed(t *flow.Task, first bool) bool {
	if !t.Misfit() || t.Recorded.Shard != d.shard.id {
		return false
	}
	if first {
		d.countRecalled(t)
	}
	if t.Outcome = flow.Unsent; !t.Shaped.Again {
		t.Fail(t.Shaped.Fit.Err())
		t.Attempts = 0 // they are among what came before, or are another line's
	} else if !d.flow.Stop.Ending() && d.shard.keepTurn(t) {
		return true
	}
	d.commit(t)
	return true
}
