package lane

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/provider"
)

// patience ends a lane that has given nothing for --give-up, to the second. The limiter gives up
// only when it is asked for a permit or told of a refusal. While every record sleeps neither
// happens, for up to a minute, so patience keeps its own timers.
type patience struct {
	pressed vigil // since the first refusal with no other answer behind it
	down    vigil // since the breaker opened
}

// vigil is a wait with a limit, until something ends it.
type vigil struct {
	on    atomic.Bool
	mu    sync.Mutex
	since time.Time
	timer *time.Timer
}

// begin begins the wait, unless it has begun; over is called if it has not ended after limit.
func (v *vigil) begin(limit time.Duration, over func()) {
	if v.on.Load() || limit <= 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.on.Swap(true) {
		return
	}
	v.since = time.Now()
	if v.timer == nil {
		v.timer = time.AfterFunc(limit, over)
	} else {
		v.timer.Reset(limit)
	}
}

// end ends it.
func (v *vigil) end() {
	if !v.on.Load() {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.on.Store(false)
	v.timer.Stop()
}

// past reports whether it has lasted for limit.
func (v *vigil) past(limit time.Duration) bool {
	if !v.on.Load() {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.on.Load() && time.Since(v.since) >= limit
}

// wait updates how long the lane has been without a success, from an attempt's reply.
func (l *Lane) wait(reply *provider.Reply) {
	switch reply.Class {
	case provider.Pressure:
		l.patience.pressed.begin(l.lanes.cfg.GiveUp, l.silent)
		l.despair()
	case provider.Transient:
		l.despair()
	case provider.Cancelled:
	default:
		l.patience.pressed.end()
	}
}

// silent closes the lane if its time is over and no request is in flight. The answer to one in
// flight would decide.
func (l *Lane) silent() {
	if l.Pace.Stats().InFlight == 0 {
		l.despair()
	}
}

// despair closes the lane for good if its time is over.
func (l *Lane) despair() {
	limit := l.lanes.cfg.GiveUp
	reason := limiter.Pressed
	switch {
	case l.patience.pressed.past(limit):
	case l.patience.down.past(limit) && l.Pace.Stats().Open:
		reason = limiter.Outage
	default:
		return
	}
	l.shut(l.gaveUp(&limiter.GaveUp{Reason: reason, After: limit}), true)
	l.lanes.pauseIfClosed()
}

// noteRefusal notes since when q has been refused. A failure in between, as of an outage, does not
// excuse it.
func (l *Lane) noteRefusal(q *Request) {
	if q.tries.refused.IsZero() {
		q.tries.refused = q.reply.Start
	}
}

// refusedUntil is when q, which was refused the last time, has been so for as long as --give-up
// while others were answered; zero where none were, or where none has been for half that time and
// new records wait, for then the provider refuses everything. It is before the whole lane would be
// given up, since that counts from the last answer.
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

// patient is ctx, with a deadline if q's refusals have one.
func (r *Lanes) patient(ctx context.Context, q *Request) (context.Context, context.CancelFunc) {
	if q.host != nil {
		if end := r.of(q).refusedUntil(q); !end.IsZero() {
			return context.WithDeadline(ctx, end)
		}
	}
	return ctx, func() {}
}
