package batch

import (
	"sync/atomic"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// leaveOver keeps a record without an answer until the shard is collected. Only then its money is
// free, and nobody who waits for the shard waits for more money.
func (s *shard) leaveOver(t *flow.Task) error {
	if s.rest.records == nil {
		var err error
		if s.rest.records, err = newSpool(); err != nil {
			return err
		}
	}
	if err := s.rest.records.add(t); err != nil {
		return err
	}
	s.batches.letGo(t)
	return nil
}

// resubmit puts what the collected batch has left over into further shards.
func (s *shard) resubmit() error {
	if s.rest.records == nil {
		return nil
	}
	decode, err := record.NewDecoder(s.batches.options())
	if err != nil {
		return err
	}
	fill := newAssembler(s.batches, s.rest.round, s)
	fill.most = s.rest.most
	defer fill.discard()
	err = s.rest.records.each(decode, func(t *flow.Task) error {
		if err := s.flow.Stop.Asking.Err(); err != nil {
			t.Recycle()
			return err
		}
		s.batches.Spooled.Add(-1)
		t.FromDisk = true
		s.flow.Spooled.EnterEmpty(t) // one at a time; it must not take room from others while it waits for money
		s.batches.place(fill, t)
		return nil
	})
	if err != nil {
		return err
	}
	fill.seal()
	s.release()
	fill.awaitAsked()
	return nil
}

// settled are collected shards: what was held for them, and what they cost, in billionths of a
// dollar.
type settled struct{ held, cost atomic.Int64 }

// settle replaces the shard's reservation by its cost. The rest is for the records that are left
// over, unless the budget is overdrawn.
func (s *shard) settle() {
	if !s.earlier { // what an earlier one held may be of other records
		s.batches.settled.held.Add(s.bill.reserved)
		s.batches.settled.cost.Add(s.bill.cost)
	}
	var rest int64
	if s.rest.records != nil {
		rest = max(s.bill.reserved-s.bill.cost-s.bill.kept, 0)
	}
	s.giving.Store(false) // before those look who wait for it
	limiter.Keep(s.account.Budgets(), s.bill.kept)
	limiter.Release(s.account.Budgets(), s.bill.reserved-rest, s.bill.cost)
	s.bill.reserved, s.bill.kept = rest, 0
	if limiter.Overdrawn(s.account.Budgets()) {
		s.release()
	}
}

// release gives back what the shard still holds.
func (s *shard) release() {
	limiter.Release(s.account.Budgets(), s.bill.reserved, 0)
	s.bill.reserved = 0
}
