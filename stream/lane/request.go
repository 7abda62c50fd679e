package lane

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/spend"
)

// Request is one request to a provider: of one record, or of several that are packed together. It
// lives from when the lanes take the records until their outcome is known. Then each record gets
// its share.
type Request struct {
	tasks  []*flow.Task
	pack   *pack           // the parts of a request for several records; nil for one record
	Record *record.Record  // the one record, or the pack's
	reply  *provider.Reply // to the last attempt; it lies in the one record, or in the pack

	host  *flow.Host // where it was asked last, or is to be; nil before
	floor int        // index of the first tier where its attempts are not used up
	Body  []byte     // what is sent: the record's body, or other
	Model string     // the model that Body names
	other []byte     // the body with a lane's own model

	tries          tries
	bill           bill
	stake          spend.Stake
	lowered        string // the cheaper model that the budget sent it to; empty for none
	downgradedFrom string // the model asked for, where a cheaper one answered

	one [1]*flow.Task // the memory of tasks where it is about one
}

// tries are the attempts at a request so far.
type tries struct {
	attempts  int             // that count: pressure and outages cost none
	inLane    int             // of them in this tier
	streak    *limiter.Streak // the streak of failures that the last attempts belong to
	inStreak  int             // how many of them
	failed    attempt         // the last that failed
	suspect   bool            // it failed twice, and others were answered between
	refused   time.Time       // the first time in this lane; zero for never
	delays    *delays         // nil until something goes wrong
	wake      time.Time       // when it is asked again
	billed    int             // answers with nothing in them that were billed
	forbidden bool            // a 403 came before the lane had answered anything
}

// bill is what the attempts at a request cost, in billionths of a dollar.
type bill struct {
	worst     int64 // the most that the next attempt can cost, 0 where no price is known
	priced    bool  // a price is known
	cost      int64 // of all attempts, as far as it is known
	mayCost   int64 // the worst case of attempts whose cost is unknown
	costKnown bool  // the answer's cost is in cost
	stated    bool  // and the provider stated it
	partial   bool  // some attempt was also billed for something without a known price
}

var requests = sync.Pool{New: func() any { return new(Request) }}

// newRequest makes the request of one record.
func newRequest(t *flow.Task) *Request {
	q := requests.Get().(*Request)
	q.Renew(t)
	return q
}

// Renew reuses q as the request of one record, and reports whether that is a further turn of a
// conversation. Nothing else may hold q.
func (q *Request) Renew(t *flow.Task) (turn bool) {
	turn = t.Continue()
	*q = Request{other: q.other[:0]}
	q.one[0] = t
	q.tasks, q.Record, q.reply = q.one[:], &t.Record, &t.Reply
	return turn
}

// recycle gives q's memory to a later request. Nothing else may hold q any more.
func (q *Request) recycle() {
	other := q.other[:0]
	if q.reply.BodyInUse || cap(other) > flow.MaxPooled {
		other = nil
	}
	*q = Request{other: other}
	requests.Put(q)
}

// records is how many records q asks about.
func (q *Request) records() int64 { return int64(len(q.tasks)) }

// aside is how many records leave room for others until q is sent again, since it failed or was
// refused: all that were read may do so, and it shows only by others whether the provider is out.
func (q *Request) aside() int {
	if q.reply != nil && (q.reply.Class == provider.Pressure || q.reply.Class == provider.Transient) {
		return len(q.tasks)
	}
	return 0
}

// String says which records q is about, for messages.
func (q *Request) String() string {
	if len(q.tasks) == 1 {
		return q.tasks[0].String()
	}
	return fmt.Sprintf("%s and %d more", q.tasks[0], len(q.tasks)-1)
}

// Charge is q as the account prices it.
func (q *Request) Charge() spend.Charge {
	return spend.Charge{Host: q.host, Model: q.Model, Body: q.Body, Record: q.Record, What: q}
}

// address makes q a request to a host. own, if not empty, replaces the model that the record names.
func (q *Request) address(h *flow.Host, own string) {
	q.host, q.downgradedFrom = h, ""
	model := cmp.Or(own, q.lowered)
	if model == "" || model == q.Record.Model {
		q.Body, q.Model = q.Record.Body, q.Record.Model
		return
	}
	if model == q.lowered {
		q.downgradedFrom = q.Record.Model
	}
	if q.reply.BodyInUse {
		q.other = nil // an earlier attempt may still be reading it
	}
	q.other = q.Record.WithModel(q.other[:0], model)
	q.Body, q.Model = q.other, model
}

// waits returns q's delays, which are made at the first failure.
func (q *Request) waits() *delays {
	if q.tries.delays == nil {
		q.tries.delays = newDelays()
	}
	return q.tries.delays
}

// note adds the last attempt to a streak of failures. Where the one before belongs to another, and
// others were answered between the two, an attempt of that streak is charged although it opened the
// breaker, for the fault may be the record's own: one alone, since a record may have been asked
// often in an outage.
func (q *Request) note(s *limiter.Streak, suspect bool) {
	if q.tries.streak != s {
		if suspect && q.tries.inStreak > 0 {
			q.tries.inStreak--
		}
		q.forgive()
		q.tries.streak, q.tries.inStreak = s, 0
	}
	q.tries.inStreak++
}

// forgive gives back attempts that turned out to be part of an outage.
func (q *Request) forgive() {
	if q.tries.streak.Opened() {
		q.tries.attempts -= q.tries.inStreak
		q.tries.inLane -= q.tries.inStreak
		q.tries.inStreak = 0
	}
}

// outlasted reports whether q sleeps because of a failure that turned out to be part of an outage.
// A time that the provider named is not one.
func (q *Request) outlasted() bool {
	return q.tries.delays != nil && q.reply.Hint == 0 && (q.tries.streak.Opened() || q.reply.Overloaded())
}

// metOutage reports whether q, whose attempts are used up, may be asked once more: nothing but its
// own attempts has failed or succeeded since the first of them, one more opens the breaker, and it
// is not the record that fails, since the last one came to no provider. So a record that is alone,
// or the last, waits as many together do. One that only ever gets a 500 may be at fault itself.
func (q *Request) metOutage() bool {
	return q.tries.streak != nil && q.tries.inStreak == q.tries.inLane && q.tries.inStreak == limiter.TripAfter-1 && q.reply.Unreached()
}

// billedTwice counts an empty answer that was billed, and reports whether it is the second. A third
// would hardly be better.
func (q *Request) billedTwice() bool {
	if !q.reply.Billed {
		return false
	}
	q.tries.billed++
	return q.tries.billed > 1
}

// fail fails all records of q with err.
func (q *Request) fail(err *record.Error) {
	for _, t := range q.tasks {
		t.Fail(err)
	}
}

// settle gives each record its share of q's outcome and cost.
func (q *Request) settle() {
	if q.pack == nil {
		t := q.tasks[0]
		t.Host, t.SentModel, t.DowngradedFrom, t.Attempts = q.host, q.Model, q.downgradedFrom, q.tries.attempts
		t.Cost, t.CostKnown, t.MayCost = q.bill.cost, q.bill.costKnown, q.bill.mayCost
		t.CostStated, t.CostPartial = q.bill.stated, q.bill.partial
		return
	}
	shares := q.shares()
	for i, t := range q.tasks {
		t.Host, t.SentModel, t.DowngradedFrom, t.Attempts = q.host, q.Model, q.downgradedFrom, q.tries.attempts
		t.Cost, t.CostKnown, t.MayCost = shares.Of(q.bill.cost, i, i+1), q.bill.costKnown, shares.Of(q.bill.mayCost, i, i+1)
		t.CostStated, t.CostPartial = q.bill.stated, q.bill.partial
		t.Reply.Err, t.Reply.Latency = q.reply.Err, q.reply.Latency
		if t.Outcome == flow.Answered {
			t.Reply.Body = q.pack.answer.Append(t.Reply.Body[:0], i, shares)
			t.Reply.Answer, _ = record.ParseAnswer(t.Endpoint, t.Reply.Body) // made of one that was parsed before
		}
	}
}
