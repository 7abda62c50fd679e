package batch

import (
	"slices"

	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// A provider takes so many tokens into an account's queue of batches
// (platform.openai.com/docs/guides/batch), and says late that a batch has no room there: it fails.
// Such a batch is made again when another has ended, and when no other is there it is split in two.

// queueFull reports whether a batch failed because too many tokens are enqueued.
func queueFull(state *provider.Batch) bool {
	return state.Status == batchFailed &&
		slices.ContainsFunc(state.Errors, func(f provider.BatchFault) bool { return f.Code == "token_limit_exceeded" })
}

// split gives the shard up, of which nothing was asked, and puts its records into two of half the
// size.
func (s *shard) split(state *provider.Batch) error {
	s.rest.most = (s.file.requests + 1) / 2
	s.flow.Voice.Note("batch %s: the provider has no room for %s at a time: they are submitted in two batches", s.at.batchID,
		ui.Number(s.file.requests, "request"))
	return s.conclude(state.Status, newAnswers())
}

// alone reports whether no other shard than one has a batch at the provider, as far as this run
// knows.
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
		return s.earlier // and was not looked at yet
	}
	return !s.claims.state.Ended()
}
