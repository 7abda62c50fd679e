package stream

import (
	"fmt"
	"net/http"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// pack is several records' requests for embeddings on their way as one. The task that has it is asked, sleeps and moves between lanes as
// any other does; in the end it is unpacked, and each record goes on alone.
type pack struct {
	members []*Task
	parts   []record.Packable // what each asks for
	bytes   int               // of their inputs
	answer  *record.Packed    // once it is answered
}

func (p *pack) add(t *Task, part record.Packable) {
	p.members = append(p.members, t)
	p.parts = append(p.parts, part)
	p.bytes += part.Size()
}

// seal makes the request of a pack that grows no more. A pack of one is that one record, asked as it is; so is a task that is no pack.
func (t *Task) seal() *Task {
	switch {
	case t.pack == nil:
		return t
	case len(t.pack.members) == 1:
		return t.pack.members[0]
	}
	t.Record.Pack(t.pack.parts)
	return t
}

// records is how many records t asks about.
func (t *Task) records() int64 {
	if t.pack == nil {
		return 1
	}
	return int64(len(t.pack.members))
}

// shares divides what the pack costs and uses among its records.
func (p *pack) shares() record.Shares {
	s := make(record.Shares, 0, len(p.parts))
	for i := range p.parts {
		s = s.Add(p.parts[i].Weight)
	}
	return s
}

// check takes the answer apart. One that does not hold the embedding of each input is refused, not asked for again as it is: smaller
// packs may fare better, and what cannot be packed at all is asked one by one in the end.
func (p *pack) check(reply *provider.Reply) {
	if reply.Class != provider.OK {
		return
	}
	var err error
	if p.answer, err = record.ParsePacked(reply.Body, len(p.members)); err != nil {
		reply.Class = provider.Refused
		reply.Err = &record.Error{Type: "bad_response", Status: reply.Status, Message: err.Error()}
	}
}

// unpack gives each record its part of the pack's fate, and hands all to the commit.
func (r *run) unpack(t *Task) {
	shares := t.pack.shares()
	for i, m := range t.pack.members {
		m.inherit(t, shares, i, i+1)
		m.Outcome, m.Err = t.Outcome, t.Err
		if t.Outcome == answered {
			m.Reply.Body = t.pack.answer.Append(m.Reply.Body[:0], i, shares)
			m.Reply.Answer, _ = record.ParseAnswer(m.Endpoint, m.Reply.Body) // made of one that was parsed before
		}
		r.finish(m)
	}
	t.recycle()
}

// inherit makes t, which stands for the records of a pack from first to the one before end, what the pack has become.
func (t *Task) inherit(from *Task, shares record.Shares, first, end int) {
	t.lane, t.sendModel, t.downgradedFrom, t.lowered = from.lane, from.sendModel, from.downgradedFrom, from.lowered
	t.Attempts, t.inLane, t.floor = from.Attempts, from.inLane, from.floor
	t.streak, t.inStreak = from.streak, from.inStreak
	t.Cost, t.CostKnown = shares.Of(from.Cost, first, end), from.CostKnown
	t.mayCost = shares.Of(from.mayCost, first, end)
	t.Reply.Err, t.Reply.Latency = from.Reply.Err, from.Reply.Latency
}

// divisible reports whether t is a pack of which a part may be answered where the whole is not. A provider that knows neither the path nor
// the model knows it for none of them.
func (t *Task) divisible() bool {
	return t.pack != nil && t.Reply.Status != http.StatusNotFound
}

// split has both halves of a pack placed anew, at once. Where its attempts are used up, each half has one more.
func (r *run) split(t *Task) {
	if err := t.Reply.Err; err != nil && t.Reply.Class == provider.Refused && err.Type == "bad_response" {
		r.packer.toldOdd.Do(func() {
			r.voice.Warn("%s: %s; it is asked again in smaller packs", t.title(), err.Message)
			r.voice.Note("hint: a provider that takes no more than one input at a time is to be asked without --pack")
		})
	}
	p, n := t.pack, len(t.pack.members)
	shares := p.shares()
	for _, half := range [][2]int{{0, n / 2}, {n / 2, n}} {
		first, end := half[0], half[1]
		h := newTask()
		h.pack = &pack{members: p.members[first:end], parts: p.parts[first:end]}
		h = h.seal()
		h.inherit(t, shares, first, end)
		r.again(h)
	}
	t.recycle()
}

// packTitle says which records a pack is of, for messages.
func (t *Task) packTitle() string {
	return fmt.Sprintf("%s and %d more", t.pack.members[0].title(), t.records()-1)
}
