package batch

import (
	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// leaveOver keeps a record of the shard that has no answer until the shard is collected. Only then
// is its money free again, and nobody who waits for the shard waits for what needs more.
func (s *shard) leaveOver(t *flow.Task) error {
	if s.left == nil {
		var err error
		if s.left, err = newSpool(); err != nil {
			return err
		}
	}
	if err := s.left.add(t); err != nil {
		return err
	}
	s.batcher.letGo(t)
	return nil
}

// resubmit puts what the collected batch has left over into further shards.
func (s *shard) resubmit() error {
	if s.left == nil {
		return nil
	}
	decode, err := record.NewDecoder(s.batcher.options())
	if err != nil {
		return err
	}
	fill := newAssembler(s.batcher, s.next, s)
	if s.most > 0 {
		fill.most = s.most
	}
	defer fill.discard()
	err = s.left.each(decode, func(t *flow.Task) error {
		if err := s.flow.Stop.Asking.Err(); err != nil {
			t.Recycle()
			return err
		}
		s.batcher.Spooled.Add(-1)
		t.FromDisk = true
		s.flow.Spooled.EnterEmpty(t) // one at a time; it must not take room from others while it waits for money
		s.batcher.place(fill, t)
		return nil
	})
	if err != nil {
		return err
	}
	fill.seal()
	s.release()
	return nil
}

// settle gives the shard's reservation way to what it cost. The rest of it is for the records that
// are left over, unless it was more than there was.
func (s *shard) settle() {
	var rest int64
	if s.left != nil {
		rest = max(s.reserved-s.cost, 0)
	}
	limiter.Release(s.account.Budgets(), s.reserved-rest, s.cost)
	s.reserved = rest
	if limiter.Overdrawn(s.account.Budgets()) {
		s.release()
	}
}

// release gives back what the shard still holds.
func (s *shard) release() {
	limiter.Release(s.account.Budgets(), s.reserved, 0)
	s.reserved = 0
}
