package lane

import (
	"net/http"

	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// pack is what a request for the embeddings of several records is made of. It is asked, sleeps and
// moves between lanes as any other does.
type pack struct {
	record record.Record
	reply  provider.Reply
	parts  []record.Packable // what each record asks for
	bytes  int               // of their inputs
	answer *record.Packed    // once it is answered
}

// newPack makes a request that is about nobody yet.
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

// seal makes the request of a pack that grows no more. A pack of one is that one record's, asked as
// it is; so is a request that is none.
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

// check takes the answer to a pack apart. One that does not hold the embedding of each input is
// refused, not asked for again as it is: smaller packs may fare better, and what cannot be packed
// at all is asked one by one in the end.
func (q *Request) check() {
	if q.pack == nil || q.reply.Class != provider.OK {
		return
	}
	var err error
	if q.pack.answer, err = record.ParsePacked(q.reply.Body, len(q.tasks)); err != nil {
		q.reply.Class = provider.Refused
		q.reply.Err = &record.Error{Type: "bad_response", Status: q.reply.Status, Message: err.Error()}
	}
}

// divisible reports whether q is a pack of which a part may be answered where the whole is not. A
// provider that knows neither the path nor the model knows it for none of them.
func (q *Request) divisible() bool {
	return q.pack != nil && q.reply.Status != http.StatusNotFound
}

// part is the request of the records of a pack from first to the one before end, with what the pack
// has become.
func (q *Request) part(shares record.Shares, first, end int) *Request {
	h := newPack()
	h.tasks, h.pack.parts = q.tasks[first:end], q.pack.parts[first:end]
	h = h.seal()
	h.host, h.Model, h.downgradedFrom, h.Lowered = q.host, q.Model, q.downgradedFrom, q.Lowered
	h.tries.attempts, h.tries.inLane, h.floor = q.tries.attempts, q.tries.inLane, q.floor
	h.tries.streak, h.tries.inStreak = q.tries.streak, q.tries.inStreak
	h.bill.cost, h.bill.costKnown = shares.Of(q.bill.cost, first, end), q.bill.costKnown
	h.bill.mayCost = shares.Of(q.bill.mayCost, first, end)
	h.reply.Err, h.reply.Latency = q.reply.Err, q.reply.Latency
	return h
}

// split has both halves of a pack placed anew, at once. Where its attempts are used up, each half
// has one more.
func (l *Lanes) split(q *Request) {
	if err := q.reply.Err; err != nil && q.reply.Class == provider.Refused && err.Type == "bad_response" {
		l.packer.toldOdd.Do(func() {
			l.flow.Voice.Warn("%s: %s; it is asked again in smaller packs", q, err.Message)
			l.flow.Voice.Note("hint: a provider that takes no more than one input at a time is to be asked without --pack")
		})
	}
	n, shares := len(q.tasks), q.shares()
	l.again(q.part(shares, 0, n/2))
	l.again(q.part(shares, n/2, n))
}
