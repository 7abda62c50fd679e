package lane

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// ask makes one attempt at q. The reply decides where q goes next: to the commit, to sleep, or to
// another lane.
func (l *Lane) ask(q *Request, permit *limiter.Permit) {
	body, held, ok := l.lanes.load(q)
	if !ok {
		permit.Drop()
		l.lanes.finish(q)
		return
	}
	l.lanes.account.Send(&q.stake, q.Charge(), q.bill.worst, permit)
	l.Host.Client.Ask(l.lanes.flow.Stop.Waiting, q.Record.Endpoint, body, q.reply)
	l.lanes.unload(q, body, held)
	q.check()
	l.lanes.flow.Counts.Attempt(q.reply)
	again := l.forbidden(q)
	// This comes before the permit is given back, so that a lane that closes sends nothing more.
	if !again {
		l.heed(q)
	}
	lesson := l.lesson(q)
	lesson.Suspect = l.suspects(q)
	if q.reply.Class == provider.OK {
		q.tasks[0].CameBack(l.Host) // before another record takes its place
	}
	streak := permit.Settle(lesson)
	if streak.Opened() {
		q.tries.delays.rewind()
	}
	l.report(q, streak)
	l.wait(q.reply)
	l.lanes.account.Watch()
	switch q.reply.Class {
	case provider.OK:
		q.forgive()
		q.tries.attempts++
		for _, t := range q.tasks {
			t.Outcome = flow.Answered
		}
		l.lanes.fit(q)
		l.lanes.finish(q)
	case provider.Pressure:
		// A probe that met an overload should not make its record wait if another lane can take it.
		if _, open := l.Pace.Room(); open && q.reply.Overloaded() && l.move(q) {
			return
		}
		l.noteRefusal(q)
		l.sleep(q, &q.waits().pressure)
	case provider.Transient:
		if q.reply.Stale {
			l.lanes.anew(q) // it does not count as an attempt
			return
		}
		q.tries.attempts++
		q.tries.inLane++
		q.note(streak, lesson.Suspect)
		if q.tries.inLane > l.lanes.cfg.Retries {
			q.forgive()
		}
		if q.billedTwice() {
			l.refuse(q)
		} else if q.tries.inLane <= l.lanes.cfg.Retries {
			l.sleep(q, &q.waits().transient)
		} else if l.move(q) {
			return
		} else if q.metOutage() {
			l.sleep(q, &q.waits().transient)
		} else {
			l.refuse(q)
		}
	case provider.Refused:
		q.tries.attempts++
		l.refuse(q)
	case provider.Exhausted, provider.Fatal:
		if again {
			l.sleep(q, &q.waits().transient)
		} else {
			l.lanes.again(q)
		}
	case provider.Cancelled:
		l.lanes.finish(q)
	}
}

// heed updates the lane and the run according to q's reply.
func (l *Lane) heed(q *Request) {
	switch q.reply.Class {
	case provider.OK:
		l.lanes.refusals.clear()
		l.reopen(q.reply.Start)
	case provider.Refused:
		if l.lanes.flow.Counts.Skipped.Load() > 0 {
			l.lanes.refusals.clear() // a recorded answer counts, too
		}
		// A refused pack says nothing about its records until it is split.
		if l.Host.Index == 0 && !q.divisible() && l.lanes.refusals.repeats(q.reply.Err, q.records()) {
			l.lanes.flow.Stop.Fail(l.hopeless(q))
		} else if l.Host.Index > 0 {
			l.warnOnce(q.reply.Err, q.Record.Model, "")
		}
	case provider.Transient:
		if q.reply.Foreign && !l.proven() && l.foreign.Add(1) >= foreignAfter {
			l.end(l.elsewhere(q.reply.Err))
		}
	case provider.Exhausted:
		l.shut(l.Exhausted(q.reply.Err, q.reply.Hint), false)
		l.stayShut(q.reply.Hint)
		l.lanes.pauseIfClosed()
	case provider.Fatal:
		l.end(l.fatal(q))
	}
}

// end stops what cannot succeed without a change: the run if this is the primary, otherwise this
// lane alone.
func (l *Lane) end(why error) {
	if l.Host.Index == 0 {
		l.lanes.flow.Stop.Fail(why)
	} else {
		l.shut(why, true)
	}
}

// proven reports whether the lane has answered anything, in this run or in an earlier run of the
// same ledger.
func (l *Lane) proven() bool {
	return l.told.answered.Load() || l.Host.Index == 0 && l.lanes.cfg.Proven
}

// forbidden makes a 403 the record's own where the lane has answered others. Before that it is the
// run's; but for a page, as firewalls have it, which is first asked for again, since others may be
// answered meanwhile: again says so.
func (l *Lane) forbidden(q *Request) (again bool) {
	if q.reply.Class != provider.Fatal || q.reply.Status != http.StatusForbidden {
		return false
	}
	if l.proven() {
		q.reply.Class = provider.Refused
		return false
	}
	page := bytes.HasPrefix(bytes.TrimSpace(q.reply.Body), []byte("<"))
	again = page && !q.tries.forbidden
	q.tries.forbidden = true
	return again
}

// lesson is what the limiter learns from q's reply, except whose fault a failure is.
func (l *Lane) lesson(q *Request) limiter.Outcome {
	o := limiter.Outcome{FirstTry: q.tries.attempts == 0 && q.tries.delays == nil && q.floor == 0, Hint: q.reply.Hint}
	switch q.reply.Class {
	case provider.OK:
		o.Kind = limiter.Success
		o.PromptTokens = int(q.reply.Answer.Usage.Prompt)
		o.CompletionTokens = int(q.reply.Answer.Usage.Completion)
		o.CachedTokens = int(q.reply.Answer.Usage.Cached)
	case provider.Pressure:
		o.Kind, o.Overloaded = limiter.Pressure, q.reply.Overloaded()
		if l.tier+1 < len(l.lanes.tiers) && o.Overloaded {
			o.Kind = limiter.Transient // the request can go to another lane instead of waiting
		}
	case provider.Transient:
		o.Kind = limiter.Transient
		if q.reply.Shared || q.reply.Stale {
			o.Kind = limiter.Cancelled // a single lost connection is not an outage, and a closed one is not a failure
		}
	case provider.Cancelled:
		o.Kind = limiter.Cancelled
	default:
		o.Kind = limiter.Terminal
	}
	o.Cost, o.CostUnclear = l.bill(q)
	if q.reply.Header != nil {
		o.Quota = limiter.ParseQuota(q.reply.Header, time.Now())
	}
	return o
}

// bill settles the cost of q's last attempt with the account.
func (l *Lane) bill(q *Request) (cost int64, unclear bool) {
	bill := l.lanes.account.Settle(q.host, q.Model, q.reply, q.Record)
	q.bill.cost += bill.Cost
	q.bill.costKnown, q.bill.stated, q.bill.partial = bill.Known, bill.Stated, q.bill.partial || bill.Partial
	if worst := l.lanes.account.Land(&q.stake, q.reply, bill.Cost); bill.Unclear {
		q.bill.mayCost += worst
	}
	return bill.Cost, bill.Unclear
}

// sleep puts q aside until it may be sent again.
func (l *Lane) sleep(q *Request, wait *BackOff) {
	l.trouble.Store(q.reply.Err)
	if hint, most := q.reply.Hint, l.lanes.cfg.GiveUp; most > 0 && hint > most {
		l.shut(ui.WithHint("run the same command again then: it continues where it stopped; or wait longer, with --give-up",
			fmt.Errorf("the provider asks llmpipe to wait %s, longer than --give-up allows", hint.Round(time.Second))), true)
		l.lanes.pauseIfClosed()
		l.lanes.again(q)
		return
	}
	if q.reply.Hint >= longWait && l.lanes.elsewhere(l) {
		l.shut(ui.WithHint("records go to another provider until then",
			fmt.Errorf("the provider asks llmpipe to wait %s", q.reply.Hint.Round(time.Second))), false)
		l.stayShut(q.reply.Hint)
		l.lanes.again(q)
		return
	}
	wait.AtLeast = q.reply.Hint
	d := wait.NextBackOff()
	if end := l.refusedUntil(q); !end.IsZero() {
		d = min(d, time.Until(end))
	}
	l.lanes.flow.Voice.Detail("%s: %s; retrying in %s", q, q.reply.Err, d.Round(time.Millisecond))
	records := q.records()
	l.lanes.rest(q)
	if l.lanes.flow.Stop.Ending() || !l.lanes.sleepers.add(q, d) {
		l.lanes.finish(q)
		return
	}
	l.lanes.flow.Counts.Retries.Add(records)
}

// longWait is the shortest wait asked for by a provider that sends its requests to another lane
// meanwhile. It is longer than the wait for a per-minute limit.
const longWait = 5 * time.Minute

// elsewhere reports whether any lane other than this one is open.
func (l *Lanes) elsewhere(than *Lane) bool {
	for _, other := range l.all {
		if other != than && other.whyClosed() == nil {
			return true
		}
	}
	return false
}

// move sends q, whose attempts here are used up, to the lanes behind this one, and reports whether
// there are any. What its failures say of q itself stays: if it fails there, too, that is no outage.
func (l *Lane) move(q *Request) bool {
	if l.tier+1 >= len(l.lanes.tiers) {
		return false
	}
	q.floor, q.tries.inLane, q.tries.streak, q.tries.inStreak, q.tries.delays = l.tier+1, 0, nil, 0, nil
	q.tries.refused = time.Time{}
	l.lanes.again(q)
	return true
}

// again places q again, at once.
func (l *Lanes) again(q *Request) {
	records := q.records()
	if l.anew(q) {
		l.flow.Counts.Retries.Add(records)
	}
}

// anew places q again without counting a retry. It returns false if q was finished because the run
// ends.
func (l *Lanes) anew(q *Request) bool {
	if l.flow.Stop.Ending() || !l.sleepers.add(q, 0) {
		l.finish(q)
		return false
	}
	return true
}

// finish sends the records of q to the commit, each with its share of the outcome.
func (l *Lanes) finish(q *Request) {
	q.settle()
	tasks, t := q.tasks, q.tasks[0]
	if q.pack == nil { // its task lies in q itself
		q.recycle()
		l.flow.Finish(t)
		return
	}
	q.reply.LetGo() // each record has its own part of it
	for _, t := range tasks {
		l.flow.Finish(t)
	}
}

// refuse fails q with its last reply, or splits it if it is a pack.
func (l *Lane) refuse(q *Request) {
	if q.divisible() {
		l.lanes.split(q)
		return
	}
	q.forgive()
	q.fail(q.reply.Err)
	l.lanes.finish(q)
}
