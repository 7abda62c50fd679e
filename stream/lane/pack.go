package lane

import (
	"net/http"

	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// pack holds the parts of a request for the embeddings of several records. The request is sent,
// sleeps and moves between lanes like any other.
type pack struct {
	record record.Record
	reply  provider.Reply
	parts  []record.Packable // what each record asks for
	bytes  int               // of their inputs
	answer *record.Packed    // once it is answered
}

// newPack makes a request without records.
func newPack() *Request {
	p := &pack{}
	return &Request{pack: p, Record: &p.record, reply: &p.reply}
}

// add puts t, which asks for part, into the pack.
func (q *Request) add(t *flow.Task, part record.Packable) {
	q.tasks = append(q.tasks, t)
	q.pack.parts = append(q.pack.parts, part)
	q.pack.bytes += part.Size()
}

// seal builds the body of a complete pack. A pack of one becomes the request of that record. A
// request that is not a pack stays as it is.
func (q *Request) seal() *Request {
	switch {
	case q == nil, q.pack == nil:
		return q
	case len(q.tasks) == 1:
		return newRequest(q.tasks[0])
	}
	q.Record.Pack(q.pack.parts)
	return q
}

// shares divides what the pack costs and uses among its records.
func (q *Request) shares() record.Shares {
	parts := q.pack.parts
	s := make(record.Shares, 0, len(parts))
	for i := range parts {
		s = s.Add(parts[i].Weight)
	}
	return s
}

// check parses the answer to a pack. An answer that lacks an embedding counts as refused, and the
// pack is not retried as it is: smaller packs may fare better, and in the end each record is sent
// alone.
func (q *Request) check() {
	if q.pack == nil || q.reply.Class != provider.OK {
		return
	}
	var err error
	if q.pack.answer, err = record.ParsePacked(q.reply.Body, len(q.tasks)); err != nil {
		q.reply.LetGo()
		q.reply.Class = provider.Refused
		q.reply.Err = &record.Error{Type: "bad_response", Status: q.reply.Status, Message: err.Error()}
	}
}

// divisible reports whether parts of q may be answered although q is not. A provider that does not
// know the path or the model knows it for no part.
func (q *Request) divisible() bool {
	return q.pack != nil && q.reply.Status != http.StatusNotFound
}

// part is the request of the pack's records [first, end), with their share of the pack's outcome.
func (q *Request) part(first, end int) *Request {
	which := make([]int, 0, end-first)
	for i := first; i < end; i++ {
		which = append(which, i)
	}
	return q.parts(which...)
}

// parts is part for records anywhere in the pack.
func (q *Request) parts(which ...int) *Request {
	h, shares := newPack(), q.shares()
	var cost, mayCost int64
	for _, i := range which {
		h.tasks, h.pack.parts = append(h.tasks, q.tasks[i]), append(h.pack.parts, q.pack.parts[i])
		cost += shares.Of(q.bill.cost, i, i+1)
		mayCost += shares.Of(q.bill.mayCost, i, i+1)
	}
	h = h.seal()
	h.host, h.Model, h.downgradedFrom, h.lowered = q.host, q.Model, q.downgradedFrom, q.lowered
	h.tries.attempts, h.tries.inLane, h.floor = q.tries.attempts, q.tries.inLane, q.floor
	h.tries.streak, h.tries.inStreak = q.tries.streak, q.tries.inStreak
	h.bill.cost, h.bill.costKnown, h.bill.mayCost = cost, q.bill.costKnown, mayCost
	h.bill.stated, h.bill.partial = q.bill.stated, q.bill.partial
	h.reply.Err, h.reply.Latency = q.reply.Err, q.reply.Latency
	return h
}

// split places both halves of a pack again, at once. Each half has one more attempt if the pack's
// are used up.
func (l *Lanes) split(q *Request) {
	if err := q.reply.Err; err != nil && q.reply.Class == provider.Refused && err.Type == "bad_response" {
		l.packer.toldOdd.Do(func() {
			l.flow.Voice.Warn("%s: %s; it is sent again in smaller packs", q, err.Message)
			l.flow.Voice.Hint("leave --pack out if the provider takes only one input at a time")
		})
	}
	n := len(q.tasks)
	l.again(q.part(0, n/2))
	l.again(q.part(n/2, n))
}
