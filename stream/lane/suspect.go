package lane

import (
	"sync/atomic"
	"time"

	"llmpipe/stream/provider"
)

// others notes when a lane's other records were answered. If they are while one record fails, the
// fault is that record's.
type others struct {
	latest atomic.Int64 // when the latest answered request was sent, in nanoseconds since 1970
}

// answer notes that a request sent at sent was answered.
func (o *others) answer(sent time.Time) {
	for at := sent.UnixNano(); ; {
		latest := o.latest.Load()
		if at <= latest || o.latest.CompareAndSwap(latest, at) {
			return
		}
	}
}

// since reports whether a request sent then or later was answered.
func (o *others) since(then time.Time) bool { return o.latest.Load() >= then.UnixNano() }

// attempt is an attempt that failed.
type attempt struct {
	at      time.Time // when it was sent; zero for none
	reached bool      // a server answered
}

// suspects notes what q's reply says of q itself, and reports whether its failure is probably its
// own: because others were answered since it failed before, now or once; or because the provider
// was there both times, and each of the other records has its own say.
func (l *Lane) suspects(q *Request) bool {
	switch q.reply.Class {
	case provider.OK, provider.Refused:
		l.others.answer(q.reply.Start)
		return false
	case provider.Pressure:
		if !q.reply.Overloaded() {
			return false // a limit says nothing about the record
		}
	case provider.Transient:
		if q.reply.Shared || q.reply.Stale {
			return false
		}
	default:
		return false
	}
	before, now := q.tries.failed, attempt{at: q.reply.Start, reached: !q.reply.Unreached()}
	q.tries.failed = now
	if before.at.IsZero() {
		return false
	}
	q.tries.suspect = q.tries.suspect || l.others.since(before.at.Add(1)) // not beside it
	return q.tries.suspect || before.reached && now.reached && q.reply.Class == provider.Transient
}
