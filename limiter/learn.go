package limiter

// learn takes in what became of p: each gate hears what concerns it.
func (l *Limiter) learn(p *Permit, o Outcome) *Streak {
	if o.Kind == Cancelled {
		l.breaker.abandon(p)
		return nil
	}
	l.teach(p, o.Quota)
	streak, closed := l.breaker.settle(p, o.Kind, l.now)
	if closed {
		l.concurrency.resume()
	}
	switch o.Kind {
	case Success:
		l.patience.relief()
		l.correct(p, o)
		l.discovery.accept(p, &l.buckets, l.now)
		l.concurrency.success(p, o, l.now)
	case Terminal:
		l.patience.relief()
	case Pressure:
		l.patience.pressure(l.now, o.Hint)
		if o.Hint > 0 {
			l.discovery.refuse(p, &l.buckets, l.now)
		}
		if !p.probe { // a probe is alone: it says nothing of how many are too many
			l.concurrency.pressure(p, l.inFlight+1, o.Hint, l.now)
		}
	case Transient:
		l.concurrency.transient()
	}
	return streak
}

// correct replaces the estimate in p's charge by what the answer used. The
// completion's part of tokens stays at max_tokens, for that is what most
// providers count, unless this one has shown otherwise; completion tokens that
// are counted apart are counted as they come.
func (l *Limiter) correct(p *Permit, o Outcome) {
	if o.PromptTokens == 0 && o.CompletionTokens == 0 {
		return
	}
	in, out := float64(o.PromptTokens), float64(o.CompletionTokens)
	reserved := out
	if p.request.MaxTokens > 0 && !l.refunds {
		reserved = float64(p.request.MaxTokens)
	}
	actual := charge{requests: 1, tokens: in + reserved, input: in, output: out}
	for r := range l.buckets {
		more := actual[r] - p.charged[r]
		l.buckets[r].correct(more)
		if resource(r) == tokens {
			l.used.add(l.now, 0, more)
		}
	}
	l.estimate.learn(p.request, o.PromptTokens, o.CompletionTokens)
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
