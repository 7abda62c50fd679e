package batch

import (
	"context"
	"fmt"
	"time"

	"llmpipe/stream/lane"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/batchapi"
	"llmpipe/stream/ui"
)

// The waits between polls of a batch grow from firstLook to lastLook. They begin at localLook for a
// server on this machine: a batch takes almost no time there, and minutes to hours at a real
// provider.
const (
	firstLook = 15 * time.Second
	localLook = 50 * time.Millisecond
	lastLook  = 2 * time.Minute
)

// States that a batch may end in, as OpenAI names them; the others are completed and expired.
const (
	batchFailed    = "failed"
	batchCancelled = "cancelled"
)

// polling is the growing wait between two polls.
type polling struct{ gap time.Duration }

func newPolling(local bool) *polling {
	if local {
		return &polling{localLook}
	}
	return &polling{firstLook}
}

// next returns how long to wait now.
func (p *polling) next() time.Duration {
	gap := p.gap
	p.gap = min(gap+gap/2, lastLook)
	return gap
}

// await polls the batch until it has ended.
func (s *shard) await(ctx context.Context) (batchapi.Batch, error) {
	wait := newPolling(s.client.Local())
	if s.cfg.Detach && !s.earlier {
		return batchapi.Batch{}, errNotWaited
	}
	unknown := "" // the unknown state that was reported last
	for {
		var state batchapi.Batch
		err := s.retry(ctx, "checking batch "+s.at.batchID, func() (err error) {
			state, err = s.driver.Batch(ctx, s.at.batchID)
			return err
		})
		switch {
		case notThere(err) && s.client.Simulated():
			return state, errVoid // another process simulated it
		case notThere(err) && time.Since(s.at.stepped) < s.settling(): // it may not show everywhere yet
		case notThere(err):
			return state, ui.WithHint("use the key of the project that made it, or "+s.forgetHint(),
				fmt.Errorf("batch %s: the provider does not know it: %w", s.at.batchID, err))
		case err != nil:
			return state, err
		default:
			s.setState(&state)
			if state.Ended() {
				return state, nil
			}
			if !state.Known() && state.Status != unknown {
				unknown = state.Status
				s.flow.Voice.Note("batch %s is in an unknown state, %q: this run waits until it ends", s.at.batchID, unknown)
			}
			s.flow.Voice.Detail("batch %s: %s, %s of %s answered", s.at.batchID, state.Status, ui.Grouped(state.Completed+state.Failed),
				ui.Grouped(s.file.requests))
		}
		if !s.lookLater(wait.next()) {
			return state, errNotWaited
		}
	}
}

// lookLater waits for d. It returns false when asking ends first, or when the run does not wait for
// the shard.
func (s *shard) lookLater(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for taken := s.batches.taken; s.waitedFor(); {
		select {
		case <-timer.C:
			return true
		case <-taken:
			taken = nil // from now on the records decide: see waitedFor
		case <-s.flow.Stop.Asking.Done():
			return false
		}
	}
	return false
}

// waitedFor reports whether this run waits for the batch. It does if the batch holds records of
// this run. Until the intake has ended it also does if not: the input may still bring such records,
// or records that need the batch's money.
func (s *shard) waitedFor() bool {
	if s.cfg.Detach {
		return false
	}
	select {
	case <-s.batches.taken:
		return s.wanted()
	default:
		return true
	}
}

// forgetHint says what to do about a batch that the provider does not have.
func (s *shard) forgetHint() string {
	return "give it up with llmpipe batches forget " + s.at.batchID + ": its records are then sent again"
}

// setState notes how far the batch is. The status line shows that, and [shard.there] reports it.
func (s *shard) setState(state *batchapi.Batch) {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	s.claims.state = *state
}

// retry calls f again after failures that may pass, until --give-up has passed. With --detach it
// retries only as often as it would for a record.
func (s *shard) retry(ctx context.Context, what string, f func() error) error {
	wait := lane.NewBackOff(lane.FirstTransient)
	start := time.Now()
	for tries := 0; ; tries++ {
		err := f()
		if err == nil {
			s.batches.lane.Found()
			return nil
		}
		call := provider.AsCallError(err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case call == nil, !provider.PassesAway(err):
			return err
		case s.cfg.Detach && tries >= s.cfg.Retries:
			return err
		}
		wait.AtLeast = call.Hint
		d := wait.NextBackOff()
		if most := s.cfg.GiveUp; most > 0 && time.Since(start)+d > most {
			return err
		}
		s.batches.lane.Tell(call)
		s.flow.Voice.Detail("%s: %v; retrying in %s", what, err, d.Round(time.Millisecond))
		if !s.flow.Stop.Sleep(d) {
			return ctx.Err()
		}
	}
}
