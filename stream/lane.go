package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"llmpipe/limiter"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// lane is one provider with the limiter that holds its requests back. Two dispatchers wait for permits, one with the first of the
// new records and one with the first of the retries, so that a retry never stands behind a new record; workers do the asking.
type lane struct {
	*run
	name   string // in ledgers and reports
	client *provider.Client
	pace   *limiter.Limiter

	trouble atomic.Pointer[record.Error] // the last failure that may pass

	work    chan job
	workers sync.WaitGroup
}

// job is a record with the permit to ask about it.
type job struct {
	task   *task
	permit *limiter.Permit
}

func newLane(r *run, client *provider.Client, pace *limiter.Limiter) *lane {
	return &lane{run: r, name: client.Name(), client: client, pace: pace, work: make(chan job)}
}

// serve dispatches records until ctx ends, and returns when all its goroutines have.
func (l *lane) serve(ctx context.Context) {
	var dispatchers sync.WaitGroup
	dispatchers.Go(func() { l.dispatch(ctx, l.fresh, false) })
	dispatchers.Go(func() { l.dispatch(ctx, l.sleepers.wake, true) })
	dispatchers.Go(func() {
		for _, t := range l.sleepers.run(ctx) {
			l.finish(t)
		}
	})
	dispatchers.Wait()
	close(l.work)
	l.workers.Wait()
}

// dispatch takes records out of queue, waits for a permit for each and hands both to a worker.
func (l *lane) dispatch(ctx context.Context, queue <-chan *task, retry bool) {
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-queue:
			if permit := l.permit(ctx, t, retry); permit != nil {
				l.start(job{t, permit})
			}
		}
	}
}

// permit waits for a permit to ask about t. When there will be none, t is finished.
func (l *lane) permit(ctx context.Context, t *task, retry bool) *limiter.Permit {
	if err := l.money.admit(t, retry); err != nil {
		l.stop.fail(err)
		l.finish(t)
		return nil
	}
	permit, err := l.pace.Acquire(ctx, limiter.Request{
		PromptBytes: t.TextBytes,
		MaxTokens:   t.MaxTokens * t.N,
		N:           t.N,
		Cost:        t.worst,
		Retry:       retry,
	})
	var large *limiter.TooLarge
	switch {
	case err == nil:
		return permit
	case errors.As(err, &large):
		t.fail(&record.Error{Type: "too_large", Code: "over_limit", Message: large.Error()})
	case errors.Is(err, limiter.ErrGaveUp):
		l.stop.pause(l.gaveUp(err))
	case errors.Is(err, limiter.ErrOverBudget):
		l.money.stopFor(err)
	}
	l.finish(t)
	return nil
}

// start gives j to an idle worker, or to a new one when all are busy. The limiter bounds how many that can be.
func (l *lane) start(j job) {
	select {
	case l.work <- j:
	default:
		l.workers.Go(func() {
			l.ask(j)
			for j := range l.work {
				l.ask(j)
			}
		})
	}
}
