package stream

import (
	"fmt"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// ask makes one attempt to have a record answered, and passes it on to where the answer sends it: the commit, or to sleep.
func (l *lane) ask(t *Task, permit *limiter.Permit) {
	l.client.Ask(l.stop.waiting, t.Endpoint, t.sendBody, &t.Reply)
	if t.pack != nil {
		t.pack.check(&t.Reply)
	}
	l.counts.attempt(&t.Reply)
	// Before the permit is given back, so that nothing more is sent where nothing more should be.
	l.heed(t)
	streak := permit.Settle(l.lesson(t))
	l.report(t, streak)
	l.money.watch()
	switch t.Reply.Class {
	case provider.OK:
		t.forgive()
		t.Attempts++
		t.Outcome = answered
		l.finish(t)
	case provider.Pressure:
		l.sleep(t, &t.waits().pressure)
	case provider.Transient:
		t.Attempts++
		t.inLane++
		t.note(streak)
		t.forgive()
		if t.inLane <= l.cfg.Retries {
			l.sleep(t, &t.waits().transient)
		} else if l.move(t) {
			return
		} else if t.metOutage() {
			l.sleep(t, &t.waits().transient)
		} else {
			l.refuse(t)
		}
	case provider.Refused:
		t.Attempts++
		l.refuse(t)
	case provider.Exhausted, provider.Fatal:
		l.again(t)
	case provider.Cancelled:
		l.finish(t)
	}
}

// heed draws from t's reply what it means for the lane and for the run.
func (l *lane) heed(t *Task) {
	switch t.Reply.Class {
	case provider.OK:
		l.sameError.clear()
		l.reopen(t.Reply.Start)
	case provider.Refused:
		// What a pack's refusal says of its records is known once it is split.
		if l.index == 0 && !t.divisible() && l.sameError.repeats(t.Reply.Err, t.records()) {
			l.stop.fail(l.hopeless(t))
		}
	case provider.Exhausted:
		l.shut(l.exhausted(t.Reply.Err), false)
		l.router.pauseIfClosed()
	case provider.Fatal:
		if l.index == 0 {
			l.stop.fail(l.fatal(t))
		} else {
			l.shut(l.fatal(t), true)
		}
	}
}

// lesson is what the limiter can learn from t's reply.
func (l *lane) lesson(t *Task) limiter.Outcome {
	o := limiter.Outcome{FirstTry: t.Attempts == 0 && t.delays == nil && t.floor == 0, Hint: t.Reply.Hint}
	switch t.Reply.Class {
	case provider.OK:
		o.Kind = limiter.Success
		o.PromptTokens = int(t.Reply.Answer.Usage.Prompt)
		o.CompletionTokens = int(t.Reply.Answer.Usage.Completion)
	case provider.Pressure:
		o.Kind = limiter.Pressure
	case provider.Transient:
		o.Kind = limiter.Transient
	case provider.Cancelled:
		o.Kind = limiter.Cancelled
	default:
		o.Kind = limiter.Terminal
	}
	o.Cost, o.CostUnclear = l.money.settle(t)
	if t.Reply.Header != nil {
		o.Quota = limiter.ParseQuota(t.Reply.Header, time.Now())
	}
	return o
}

// sleep puts t aside until it may be asked about again.
func (l *lane) sleep(t *Task, wait *hintedBackOff) {
	l.trouble.Store(t.Reply.Err)
	if hint, most := t.Reply.Hint, l.cfg.Pace.GiveUp; most > 0 && hint > most {
		l.shut(ui.WithHint("the same command goes on where this one stopped, then; or wait for it with a longer --give-up",
			fmt.Errorf("the provider asks to wait %s, longer than --give-up", hint.Round(time.Second))), true)
		l.router.pauseIfClosed()
		l.again(t)
		return
	}
	wait.hint = t.Reply.Hint
	d := wait.NextBackOff()
	l.voice.Detail("%s: %s; again in %s", t.title(), t.Reply.Err, d.Round(time.Millisecond))
	records := t.records()
	if l.stop.ending() || !l.sleepers.add(t, d) {
		l.finish(t)
		return
	}
	l.counts.retries.Add(records)
}

// metOutage reports whether t, whose attempts are used up, may be asked once more: nothing but its own attempts has failed or succeeded
// since the first of them, one more opens the breaker, and it is not the record that fails, since the last one came to no provider. So a
// record that is alone, or the last, waits as many together do. One that only ever gets a 500 may be at fault itself.
func (t *Task) metOutage() bool {
	return t.inStreak == t.inLane && t.inStreak == limiter.TripAfter-1 && t.Reply.Unreached()
}

// move sends t to the lanes behind this one, where its attempts are used up, and reports whether there are any.
func (l *lane) move(t *Task) bool {
	if l.index+1 >= len(l.router.lanes) {
		return false
	}
	t.floor, t.inLane, t.streak, t.inStreak, t.delays = l.index+1, 0, nil, 0, nil
	l.again(t)
	return true
}

// again has t placed anew, at once.
func (r *run) again(t *Task) {
	records := t.records()
	if r.stop.ending() || !r.sleepers.add(t, 0) {
		r.finish(t)
		return
	}
	r.counts.retries.Add(records)
}

// refuse makes t's last reply its error, unless it is a pack that can be split.
func (l *lane) refuse(t *Task) {
	if t.divisible() {
		l.split(t)
		return
	}
	t.Fail(t.Reply.Err)
	l.finish(t)
}

// finish hands t to the commit.
func (r *run) finish(t *Task) {
	if t.pack != nil {
		r.unpack(t)
		return
	}
	if t.ask {
		more := int64(len(t.Reply.Body))
		t.size += more
		t.ask = false
		r.gate.answered(more)
	}
	r.commits <- t
}
