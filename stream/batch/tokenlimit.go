package batch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// A provider takes so many tokens into an account's queue of batches
// (platform.openai.com/docs/guides/batch), and says late that a batch has no room there: it fails.
// Such a batch is made again when another has ended, and when no other is there it is split in two.

// batch submits the shard, waits for its batch and collects it.
func (s *shard) batch(ctx context.Context) error {
	wait := newPolling(s.batcher.lane.Host.Client.Local())
	for start, again := time.Now(), false; ; again = true {
		alone := s.batcher.alone(s)
		if err := s.submit(ctx); err != nil {
			return err
		}
		state, err := s.await(ctx)
		if err != nil {
			return err
		}
		if !queueFull(&state) {
			return s.collect(ctx, &state)
		}
		s.step = ledger.ShardUploaded
		// One of ours that ended meanwhile may have had the room that there is now.
		alone = alone && s.batcher.alone(s) && (again || s.cfg.Detach)
		most := s.cfg.GiveUp
		switch {
		case alone && s.requests > 1:
			return s.split(&state)
		case alone && most > 0 && time.Since(start) > most:
			s.flow.Stop.Pause(ui.WithHint(
				"raise the account's limit of enqueued tokens, or wait for its other batches; the same command tries again",
				fmt.Errorf("batch %s: the provider has no room for a single request", s.batchID)))
			return s.flow.Stop.Asking.Err()
		case s.cfg.Detach && again, !s.cfg.Detach && !s.waitedFor():
			return errNotWaited
		}
		s.flow.Voice.Note("batch %s: too many tokens are enqueued: it is submitted again when another batch has ended", s.batchID)
		if s.cfg.Detach {
			continue
		}
		select {
		case <-s.batcher.anotherEnd():
		case <-time.After(wait.next()):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// queueFull reports whether a batch failed because too many tokens are enqueued.
func queueFull(state *provider.Batch) bool {
	return state.Status == batchFailed &&
		slices.ContainsFunc(state.Errors, func(f provider.BatchFault) bool { return f.Code == "token_limit_exceeded" })
}

// split gives the shard up, of which nothing was asked, and puts its records into two of half the
// size.
func (s *shard) split(state *provider.Batch) error {
	s.most = (s.requests + 1) / 2
	s.flow.Voice.Note("batch %s: the provider has no room for %s at a time: they are submitted in two batches", s.batchID,
		ui.Number(s.requests, "request"))
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
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over: // nobody looks at it any more
		return s.cfg.Detach && s.state.ID != "" && !s.state.Ended()
	case s.state.ID == "":
		return s.earlier // and was not looked at yet
	}
	return !s.state.Ended()
}
