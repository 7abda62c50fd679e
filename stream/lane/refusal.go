package lane

import (
	"context"
	"time"

	"llmpipe/stream/provider"
)

// noteRefusal notes since when q has been refused. A failure in between, as of an outage, does not
// excuse it.
func (l *Lane) noteRefusal(q *Request) {
	if q.tries.refused.IsZero() {
		q.tries.refused = q.reply.Start
	}
}

// refusedUntil is when q, which was refused the last time, has been so for as long as --give-up while others were
// answered; zero where none were, or where none has been for half that time and new records wait,
// for then the provider refuses everything. It is before the whole lane would be given up, since
// that counts from the last answer.
func (l *Lane) refusedUntil(q *Request) time.Time {
	since, limit := q.tries.refused, l.lanes.cfg.GiveUp
	if since.IsZero() || limit <= 0 || q.reply.Class != provider.Pressure || !l.others.since(since) {
		return time.Time{}
	}
	if len(l.lanes.fresh) > 0 && !l.others.since(time.Now().Add(-limit/2)) {
		return time.Time{}
	}
	return since.Add(limit)
}

// patient is ctx, with a deadline where q's refusals have one.
func (r *Lanes) patient(ctx context.Context, q *Request) (context.Context, context.CancelFunc) {
	if q.host != nil {
		if end := r.of(q).refusedUntil(q); !end.IsZero() {
			return context.WithDeadline(ctx, end)
		}
	}
	return ctx, func() {}
}
