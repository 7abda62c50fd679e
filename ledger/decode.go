package ledger

// decode fills a result from its line, whose bytes ID and Response then are.
func (r *Result) decode(line []byte) error {
	type names struct{ Endpoint, Model, Provider, DowngradedFrom, Shard string }
	before := names{r.Endpoint, r.Model, r.Provider, r.DowngradedFrom, r.Shard} // mostly what they will be again
	*r = Result{line: r.line}
	f := &r.line.fields
	f.start(line)
	for {
		more, err := f.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		ok := true
		switch string(f.name) {
		case "id":
			r.ID = f.value
		case "r":
			ok = f.request(&r.Request)
		case "time":
			ok = f.time(&r.Time)
		case "cost_usd":
			ok = f.cost(&r.CostNanos, &r.CostKnown)
		case "may_cost_usd":
			ok = f.cost(&r.MayCostNanos, new(bool))
		case "simulated":
			ok = f.bool(&r.Simulated)
		case "endpoint":
			ok = f.string(&r.Endpoint, before.Endpoint)
		case "model":
			ok = f.string(&r.Model, before.Model)
		case "provider":
			ok = f.string(&r.Provider, before.Provider)
		case "downgraded_from":
			ok = f.string(&r.DowngradedFrom, before.DowngradedFrom)
		case "shard":
			ok = f.string(&r.Shard, before.Shard)
		case "prompt_tokens":
			ok = f.integer(&r.PromptTokens)
		case "completion_tokens":
			ok = f.integer(&r.CompletionTokens)
		case "cached_tokens":
			ok = f.integer(&r.CachedTokens)
		case "reasoning_tokens":
			ok = f.integer(&r.ReasoningTokens)
		case "attempts":
			ok = f.count(&r.Attempts)
		case "latency_ms":
			ok = f.integer(&r.LatencyMS)
		case responseName:
			r.Response = f.value
		}
		if !ok {
			return errMalformed
		}
	}
	if len(r.ID) == 0 || len(r.Response) == 0 {
		return errMalformed
	}
	return nil
}

// decode fills a failure from its line, whose bytes ID then is.
func (f *Failure) decode(line []byte) error {
	*f = Failure{fields: f.fields}
	m := &f.fields
	m.start(line)
	for {
		more, err := m.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		ok := true
		switch string(m.name) {
		case "id":
			f.ID = m.value
		case "r":
			ok = m.request(&f.Request)
		case "time":
			ok = m.time(&f.Time)
		case "cost_usd":
			ok = m.cost(&f.CostNanos, &f.CostKnown)
			f.Billed = !f.CostKnown || f.CostNanos > 0
		case "may_cost_usd":
			ok = m.cost(&f.MayCostNanos, new(bool))
		case "simulated":
			ok = m.bool(&f.Simulated)
		case "endpoint":
			ok = m.string(&f.Endpoint, "")
		case "model":
			ok = m.string(&f.Model, "")
		case "provider":
			ok = m.string(&f.Provider, "")
		case "shard":
			ok = m.string(&f.Shard, "")
		case "prompt_tokens":
			ok = m.integer(&f.PromptTokens)
		case "completion_tokens":
			ok = m.integer(&f.CompletionTokens)
		case "attempts":
			ok = m.count(&f.Attempts)
		case "latency_ms":
			ok = m.integer(&f.LatencyMS)
		case "type":
			ok = m.string(&f.Type, "")
		case "code":
			ok = m.string(&f.Code, "")
		case "status":
			ok = m.count(&f.Status)
		case "message":
			ok = m.string(&f.Message, "")
		}
		if !ok {
			return errMalformed
		}
	}
	if len(f.ID) == 0 {
		return errMalformed
	}
	return nil
}

func (run *RunInfo) decode(line []byte) error {
	var m fields
	m.start(line)
	*run = RunInfo{}
	for {
		more, err := m.next()
		if err != nil || !more {
			return err
		}
		ok := true
		switch string(m.name) {
		case "time":
			ok = m.time(&run.Time)
		case "run":
			ok = m.string(&run.ID, "")
		case "version":
			ok = m.string(&run.Version, "")
		case "endpoint":
			ok = m.string(&run.Endpoint, "")
		case "model":
			ok = m.string(&run.Model, "")
		case "provider":
			ok = m.string(&run.Provider, "")
		case "simulated":
			ok = m.bool(&run.Simulated)
		}
		if !ok {
			return errMalformed
		}
	}
}
