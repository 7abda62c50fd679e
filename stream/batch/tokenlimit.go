package batch

import (
	"slices"

	"llmpipe/stream/provider"
	"llmpipe/stream/provider/batchapi"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// A provider queues a limited number of tokens per account (platform.openai.com/docs/guides/batch),
// and fails a batch that has no room there. Such a batch is made again when another has ended. If
// there is no other, it is split in two.

// queueFull reports whether a batch failed because too many tokens are enqueued.
func queueFull(state *batchapi.Batch) bool {
	return state.Status == batchFailed &&
		slices.ContainsFunc(state.Errors, func(f batchapi.Fault) bool {
			return provider.QueueFull(&record.Error{Code: f.Code, Message: f.Message})
		})
}

// later turns the refusal to make a batch into an error that passes, if the queue is full or the
// file is not ready. It says once that the queue is full.
func (s *shard) later(err error, told *bool) error {
	call := provider.AsCallError(err)
	if call == nil || call.Class != provider.Refused {
		return err
	}
	switch {
	case provider.QueueFull(call.Err):
		if !*told {
			*told = true
			s.flow.Voice.Note("the provider's batch queue is full: %s wait for room: %v", ui.Number(s.file.requests, "request"), call.Err)
		}
	case !provider.FileUnready(call.Err):
		return err
	}
	return &provider.CallError{Class: provider.Pressure, Err: call.Err, Hint: lateWait}
}

// split gives up the shard, none of whose requests was run, and puts its records into two shards of
// half the size.
func (s *shard) split(state *batchapi.Batch) error {
	s.rest.most = (s.file.requests + 1) / 2
	s.flow.Voice.Note("batch %s: the provider has no room for %s at a time: they are submitted in two batches", s.at.batchID,
		ui.Number(s.file.requests, "request"))
	return s.conclude(state.Status, newAnswers())
}

// alone reports whether no shard other than one has a batch at the provider that has not ended, as
// far as this run knows.
func (b *Batches) alone(one *shard) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.shards {
		if s != one && s.there() {
			return false
		}
	}
	return true
}

// there reports whether the shard has a batch at the provider that has not ended.
func (s *shard) there() bool {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	switch {
	case s.claims.over: // nobody looks at it any more
		return s.cfg.Detach && s.claims.state.ID != "" && !s.claims.state.Ended()
	case s.claims.state.ID == "":
		return s.earlier // which was not looked at yet
	}
	return !s.claims.state.Ended()
}
