package limiter

import "time"

// learn takes in what became of p: each gate hears what concerns it.
func (l *Limiter) learn(p *Permit, o Outcome) *Streak {
	if o.Kind == Cancelled {
		l.breaker.abandon(p)
		l.end(p, void, o)
		return nil
	}
	if o.Kind != Transient {
		l.teach(p, o.Quota)
	}
	was := l.breaker.open
	var streak *Streak
	var closed bool
	if kind := o.breaks(); kind == Transient && o.Suspect {
		streak = l.breaker.doubt(p, l.now)
	} else {
		streak, closed = l.breaker.settle(p, kind, l.now)
	}
	switch {
	case closed:
		l.concurrency.resume(l.breaker.tries == 0)
		l.pace.interrupt(l.now)
		if !l.hold.on {
			l.hold.restart(l.lulls.busy(l.now))
		}
	case l.breaker.open && !was:
		l.pace.forget(l.now)
		l.concurrency.undeny(l.now)
	}
	used, took := 0.0, l.now.Sub(p.sent)
	switch o.Kind {
	case Success:
		l.patience.relief()
		l.correct(p, o)
		l.time(p)
		l.concurrency.answered(p)
		used = float64(max(1, o.PromptTokens+o.CompletionTokens))
		l.end(p, good, o)
	case Terminal:
		l.patience.relief()
		used = 1
		l.end(p, good, o)
	case Pressure:
		l.concurrency.refuse(p.n, l.latency, l.now)
		if p.tries == 0 && l.pace.chance <= trifle && l.latency > 0 && !l.concurrency.fixed {
			took = max(took, time.Duration(l.latency*float64(time.Second)))
			l.concurrency.ghosts.add(p.sent.Add(took))
		}
		l.patience.pressure(l.now)
		l.end(p, refused, o)
	case Transient:
		l.concurrency.refuse(p.n, l.latency, l.now)
		fate := failed
		if o.Suspect {
			fate = void // it says nothing of how much may be sent
		}
		l.end(p, fate, o)
	}
	if !p.probe { // a probe is alone: it says nothing of how many are too many
		l.concurrency.answer(p, used, took, l)
	}
	l.judge()
	l.patience.consider(&l.hold, l.now)
	return streak
}

// breaks returns the kind that the outcome counts as for the breaker.
func (o Outcome) breaks() Kind {
	if o.Kind == Pressure && o.Overloaded && o.Hint == 0 {
		return Transient
	}
	return o.Kind
}

// time takes in how long an answer took.
func (l *Limiter) time(p *Permit) {
	took := l.now.Sub(p.sent).Seconds()
	if l.latency == 0 {
		l.latency = took
	}
	l.latency += learning * (took - l.latency)
}

// end notes what became of p in the order of sending. A refusal that comes after p already counted
// as accepted is judged when it comes.
func (l *Limiter) end(p *Permit, f fate, o Outcome) {
	if !l.sends.end(p.n, f, l.now) {
		return
	}
	e := l.sends.get(p.n)
	if f == refused && o.Hint > 0 {
		e.hinted = l.now.Add(o.Hint)
		if l.alone() {
			l.hold.believe(p.n, e.hinted, l.now)
		}
	}
	if f == refused && p.n < l.sends.judged && e.judged == good {
		l.late(p.n, e)
	}
}

// late takes in a refusal of a send that counted as accepted.
func (l *Limiter) late(n int, e *send) {
	if l.share != nil {
		l.share.tell(e, -1)
	}
	if e.judged = refused; l.share != nil {
		l.seeShared(n, e)
		return
	}
	l.see(n, e)
}

// correct replaces the estimate in p's charge with what the answer used. The completion's part of
// tokens stays at max_tokens, because that is what most providers count, unless this one has shown
// otherwise. Completion tokens that are counted apart are counted as they come.
func (l *Limiter) correct(p *Permit, o Outcome) {
	if o.PromptTokens == 0 && o.CompletionTokens == 0 {
		return
	}
	in, out := float64(o.PromptTokens), float64(o.CompletionTokens)
	uncached := max(0, in-float64(o.CachedTokens))
	reserved := out
	if p.request.MaxTokens > 0 && !l.refunds {
		reserved = float64(p.request.MaxTokens)
	}
	actual := charge{requests: 1, tokens: in + reserved, input: uncached, output: out}
	for r := range l.buckets {
		l.buckets[r].correct(actual[r] - p.charged[r])
	}
	l.used.add(l.now, 0, l.counted(actual)-p.counted)
	l.estimate.learn(p.request, o.PromptTokens, min(o.CachedTokens, o.PromptTokens), o.CompletionTokens)
}

// teach takes in what the headers of p's answer said.
func (l *Limiter) teach(p *Permit, q Quota) {
	windows := [resources]Window{q.Requests, q.Tokens, q.Input, q.Output}
	for r, w := range windows {
		l.buckets[r].teach(w, p.spent[r], l.now.Sub(p.sent))
	}
	if q.Output.Limit > 0 {
		l.refunds = true
	}
}
