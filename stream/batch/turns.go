package batch

import (
	"bytes"

	"llmpipe/stream/flow"
)

// An answer that does not fit the schema is recorded like any other. When the batch is collected,
// the record goes into a batch of the next turn. What was said before is read back from the ledger
// while the request is written, so it is never in memory for more than one record. All
// conversations of a shard have taken the same number of turns. The shard's intent holds that
// number, so whoever collects the shard knows it.

// reask keeps t, and the records that wait for its answer, for a batch of the next turn. It reports
// false if the run ends.
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
			s.batches.letGo(twin) // it stays unsent
		}
	}
	committing.Committing.Done()
	return true
}

// keepTurn keeps t for the next turn. Duplicates go behind all other records, because the first
// record with a key has the costs in its line. If keepTurn cannot keep t, it ends the run and
// reports false.
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

// resume notes how many turns t's conversation has taken, before t's answer is judged.
func (d *delivery) resume(t *flow.Task) {
	t.Resume(d.shard.kind.turn)
}

// recall gives t the result that is recorded for it, and reports whether there is one that serves.
// A result from before the shard was intended does not serve: the shard's answer follows it.
func (d *delivery) recall(t *flow.Task) bool {
	found := d.journal.Ledger.Look(t.Key)
	if found.Shard != d.shard.id {
		return d.journal.Recall(t, found)
	}
	if !found.Result.Other() || d.shard.kind.turn > 0 {
		d.journal.Before(t, found, d.shard.kind.turn > 0)
		return false
	}
	return d.journal.Recall(t, found) // another ledger's result serves
}

// overtaken reports whether t's answer in this batch was recorded since t was looked at.
func (d *delivery) overtaken(t *flow.Task) bool {
	return t.Duplicate && d.journal.Ledger.Look(t.Key).Shard != d.shard.id
}

// lapsed takes t over if its answer in this batch is recorded already and does not fit: t goes into
// the next turn, or has failed. first says that no record has taken that answer before. lapsed
// reports whether it took t over.
func (d *delivery) lapsed(t *flow.Task, first bool) bool {
	if !t.Misfit() || t.Recorded.Shard != d.shard.id {
		return false
	}
	if first {
		d.countRecalled(t)
	}
	if t.Outcome = flow.Unsent; !t.Shaped.Again {
		t.Fail(t.Shaped.Fit.Err())
		t.Attempts = 0 // they count with the earlier answers, or in another line
	} else if !d.flow.Stop.Ending() && d.shard.keepTurn(t) {
		return true
	}
	d.commit(t)
	return true
}
