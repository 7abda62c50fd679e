package batch

import (
	"sync"
	"sync/atomic"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
)

// leftover holds the records of a collected shard that have no answer that serves.
type leftover struct {
	mu      sync.Mutex
	records *spool // without an answer, for further shards
	round   int    // that these shards are in
	most    int64  // the most requests in one of these shards; 0 for any number
	turns   *spool // with answers that do not fit the schema, for the first round of another turn
	twins   *spool // duplicates of those in turns
	same    *spool // with requests equal to those of other records
}

// leaveOver keeps a record without an answer until the shard is collected. Its money is not free
// before that, and nobody who waits for the shard must have to wait for more money.
func (s *shard) leaveOver(t *flow.Task) error {
	t.Resume(s.kind.turn - 1) // it takes the same turn again
	return s.keepIn(&s.rest.records, t)
}

// keepIn puts a record into one of the leftover's spools.
func (s *shard) keepIn(to **spool, t *flow.Task) error {
	s.rest.mu.Lock()
	defer s.rest.mu.Unlock()
	if err := addTo(to, t); err != nil {
		return err
	}
	s.batches.letGo(t)
	return nil
}

// any reports whether there is something left over.
func (l *leftover) any() bool {
	return l.records != nil || l.turns != nil || l.twins != nil || l.same != nil
}

// discard frees the disk space.
func (l *leftover) discard() {
	for _, spool := range []*spool{l.records, l.turns, l.twins, l.same} {
		spool.discard()
	}
	l.records, l.turns, l.twins, l.same = nil, nil, nil, nil
}

// resubmit puts what the collected batch has left over into further shards.
func (s *shard) resubmit() error {
	if !s.rest.any() {
		return nil
	}
	var fills []*assembler
	for _, left := range []struct {
		records []*spool
		round   int
	}{{[]*spool{s.rest.records}, s.rest.round}, {[]*spool{s.rest.turns, s.rest.twins}, 1}, {[]*spool{s.rest.same}, s.rest.round}} {
		fill := newAssembler(s.batches, left.round, s)
		fill.most = s.rest.most
		defer fill.discard()
		for _, records := range left.records {
			err := s.batches.readBack(s.flow.Stop.Asking, records, s.batches.comeAlone, func(t *flow.Task) error {
				s.batches.place(fill, t)
				return nil
			})
			if err != nil {
				return err
			}
		}
		fill.seal()
		fills = append(fills, fill)
	}
	s.release()
	for _, fill := range fills {
		fill.awaitAsked()
	}
	return nil
}

// settled sums up this run's collected shards: what was held for them, and what they cost, in
// billionths of a dollar.
type settled struct{ held, cost atomic.Int64 }

// settle replaces the shard's reservation with its cost. It keeps the rest for the records that are
// left over, unless a budget is overdrawn.
func (s *shard) settle() {
	if !s.earlier { // an earlier one may have held it for other records
		s.batches.settled.held.Add(s.bill.reserved)
		s.batches.settled.cost.Add(s.bill.cost)
	}
	var rest int64
	if s.rest.any() {
		rest = max(s.bill.reserved-s.bill.cost-s.bill.kept, 0)
	}
	s.giving.Store(false) // before those who wait for it look again
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
