package batch

import (
	"sync"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/provider/batchapi"
	"llmpipe/stream/ui"
)

// claims are what the input of this run has in a shard.
type claims struct {
	mu      sync.Mutex
	spool   *spool // the input's records that are in the shard; nil for none
	same    *spool // those whose requests equal a request in the shard; nil for none
	any     bool   // the input has such records
	over    bool   // the records are being read back or given up: no more can be attached
	unheard error  // what went wrong while the input had no such records
	state   batchapi.Batch
}

// attach adds a record that is in the shard to the spool. If the records are being read back
// already, attach waits for the end of that. It then returns false if the shard is collected, so
// that t's answer is recorded; otherwise it finishes t.
func (s *shard) attach(t *flow.Task) bool { return s.attachTo(&s.claims.spool, t) }

func (s *shard) attachTo(to **spool, t *flow.Task) bool {
	s.claims.mu.Lock()
	if !s.claims.over {
		defer s.claims.mu.Unlock()
		if err := s.remember(to, t); err != nil {
			s.flow.Stop.Fail(err)
			s.flow.Finish(t)
			return true
		}
		s.batches.letGo(t)
		return true
	}
	s.claims.any = true
	s.claims.mu.Unlock()
	<-s.done
	if s.at.step == ledger.ShardCollected {
		return false
	}
	s.stopFor(s.claims.unheard)
	s.flow.Finish(t) // the batch goes on, and this run does not wait for it
	return true
}

// remember puts t into one of the spools. s.claims.mu is held.
func (s *shard) remember(to **spool, t *flow.Task) error {
	s.claims.any = true
	return addTo(to, t)
}

// wanted reports whether the input of this run holds records of the shard.
func (s *shard) wanted() bool {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	return s.claims.any
}

// leave notes that the batch goes on, and this run does not wait for it.
func (s *shard) leave() {
	s.goesOn.Store(true)
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	s.claims.over = true
}

// concern returns err if this run has records in the shard. Otherwise it warns, and the run goes on
// unless such records come.
func (s *shard) concern(err error) error {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	if s.claims.any {
		return err
	}
	s.claims.over, s.claims.unheard = true, err
	s.flow.Voice.Warn("%v", err)
	if h := ui.HintOf(err); h != "" {
		s.flow.Voice.Hint("%s", h)
	}
	return nil
}

// standing returns how many requests the shard has, and how many of them the provider has answered.
// over says that the shard is being collected, or that the run has stopped waiting for it; done
// then counts them all.
func (s *shard) standing() (requests, done int64, over bool) {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	if s.claims.over {
		return s.file.requests, s.file.requests, true
	}
	return s.file.requests, s.claims.state.Completed + s.claims.state.Failed, false
}
