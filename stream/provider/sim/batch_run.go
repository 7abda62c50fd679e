package sim

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// A batch spends a tenth of its latency on validating and a tenth on finalizing. In between it
// works in batchSteps steps, and updates its counts after each step.
const (
	batchTenth = 10
	batchSteps = 20
)

// runBatch runs b from its creation to its end, or to the simulator's end.
func (s *Server) runBatch(b *batch) {
	defer s.batches.running.Done()
	defer b.cancel(nil)
	window, stop := context.WithDeadlineCause(b.ctx, b.expires, errSimWindow)
	defer stop()
	tenth := s.options.BatchLatency / batchTenth

	pause(window, tenth)
	in, flaws := s.readInput(s.batches.life, b)
	defer in.close()
	if flaws == nil && !b.messages && !s.batches.enqueue(b, in.model, in.tokens, s.options.BatchTokens) {
		flaws = []batchFlaw{flaw("token_limit_exceeded", fmt.Sprintf("Enqueued token limit reached for %s in organization "+
			"org-simulated. Limit: %d enqueued tokens. Please try again once some in_progress batches have been completed.",
			in.model, s.options.BatchTokens), "", 0)}
	}
	if flaws != nil && s.failBatch(b, flaws) {
		return
	}
	work := s.newBatchWork(b, in)
	defer work.discard()
	if flaws == nil && s.batches.change(b, stateInProgress, func(o *batchObject) { o.RequestCounts.Total = in.requests() }) {
		work.run(window, tenth*(batchTenth-2))
	}
	cancelled := !s.batches.change(b, stateFinalizing, func(*batchObject) {})
	pause(s.batches.life, tenth)
	if s.batches.life.Err() == nil {
		s.endBatch(b, work, cancelled)
	}
}

// failBatch ends b without an answer and reports whether it did: a batch that is being cancelled
// does not fail.
func (s *Server) failBatch(b *batch, flaws []batchFlaw) bool {
	return s.batches.change(b, stateFailed, func(o *batchObject) {
		o.Errors = errorsOf(flaws...)
		s.stats.batchEnded(stateFailed, 0)
	})
}

// endBatch completes b's files and moves b to its final state.
func (s *Server) endBatch(b *batch, work *batchWork, cancelled bool) {
	status := stateCompleted
	switch {
	case cancelled:
		status = stateCancelled
	case work.missed() > 0:
		status = stateExpired
		work.expire()
	}
	if cancelled && b.messages {
		work.expire()
	}
	output, err := work.output.end(s.newFileID(), b.state.ID+"_output.jsonl")
	failures, err2 := work.errors.end(s.newFileID(), b.state.ID+"_error.jsonl")
	err = cmp.Or(work.err, err, err2)
	if err != nil && !cancelled {
		status = stateFailed
	}
	s.batches.change(b, status, func(o *batchObject) {
		o.OutputFileID, o.ErrorFileID = output, failures
		if failures == nil && status == stateCompleted {
			// The API writes null here as well as "", and clients must accept both.
			o.ErrorFileID = new(string)
		}
		if err != nil {
			o.Errors = errorsOf(flaw("server_error", "The batch could not be answered: "+err.Error(), "", 0))
		}
		s.stats.batchEnded(status, work.missed())
	})
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
