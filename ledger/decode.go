package ledger

// decode fills a result from its line, whose bytes ID and Response then are.
func (r *Result) decode(line []byte) error {
	m, err := r.line.members(line)
	if err != nil {
		return err
	}
	*r = Result{Endpoint: r.Endpoint, Model: r.Model, Provider: r.Provider, DowngradedFrom: r.DowngradedFrom, Shard: r.Shard,
		line: r.line}
	var endpoint, model, provider, downgraded, shard bool
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
			r.ID = m.value
		case "r":
			ok = m.request(&r.Request)
		case "time":
			ok = m.time(&r.Time)
		case "cost_usd":
			ok = m.cost(&r.CostNanos, &r.CostKnown)
		case "simulated":
			ok = m.bool(&r.Simulated)
		case "endpoint":
			ok, endpoint = m.string(&r.Endpoint), true
		case "model":
			ok, model = m.string(&r.Model), true
		case "provider":
			ok, provider = m.string(&r.Provider), true
		case "downgraded_from":
			ok, downgraded = m.string(&r.DowngradedFrom), true
		case "shard":
			ok, shard = m.string(&r.Shard), true
		case "prompt_tokens":
			ok = m.integer(&r.PromptTokens)
		case "completion_tokens":
			ok = m.integer(&r.CompletionTokens)
		case "cached_tokens":
			ok = m.integer(&r.CachedTokens)
		case "reasoning_tokens":
			ok = m.integer(&r.ReasoningTokens)
		case "attempts":
			ok = m.count(&r.Attempts)
		case "latency_ms":
			ok = m.integer(&r.LatencyMS)
		case "response":
			r.Response = m.value
		}
		if !ok {
			return errMalformed
		}
	}
	keepIf(endpoint, &r.Endpoint)
	keepIf(model, &r.Model)
	keepIf(provider, &r.Provider)
	keepIf(downgraded, &r.DowngradedFrom)
	keepIf(shard, &r.Shard)
	if len(r.ID) == 0 || len(r.Response) == 0 {
		return errMalformed
	}
	return nil
}

// keepIf clears a string that the line did not have: it is the one of the line before.
func keepIf(there bool, s *string) {
	if !there {
		*s = ""
	}
}

// decode fills a failure from its line, whose bytes ID then is.
func (f *Failure) decode(line []byte) error {
	m, err := f.line.members(line)
	if err != nil {
		return err
	}
	*f = Failure{line: f.line}
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
		case "simulated":
			ok = m.bool(&f.Simulated)
		case "endpoint":
			ok = m.string(&f.Endpoint)
		case "model":
			ok = m.string(&f.Model)
		case "provider":
			ok = m.string(&f.Provider)
		case "shard":
			ok = m.string(&f.Shard)
		case "prompt_tokens":
			ok = m.integer(&f.PromptTokens)
		case "completion_tokens":
			ok = m.integer(&f.CompletionTokens)
		case "attempts":
			ok = m.count(&f.Attempts)
		case "latency_ms":
			ok = m.integer(&f.LatencyMS)
		case "type":
			ok = m.string(&f.Type)
		case "code":
			ok = m.string(&f.Code)
		case "status":
			ok = m.count(&f.Status)
		case "message":
			ok = m.string(&f.Message)
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

func (run *RunInfo) decode(line []byte, buf *lineBuffer) error {
	m, err := buf.members(line)
	if err != nil {
		return err
	}
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
			ok = m.string(&run.ID)
		case "version":
			ok = m.string(&run.Version)
		case "endpoint":
			ok = m.string(&run.Endpoint)
		case "model":
			ok = m.string(&run.Model)
		case "provider":
			ok = m.string(&run.Provider)
		case "simulated":
			ok = m.bool(&run.Simulated)
		}
		if !ok {
			return errMalformed
		}
	}
}
