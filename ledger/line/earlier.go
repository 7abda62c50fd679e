package line

import "bytes"

// Earlier is what the answers to a record used that came before the last one, in earlier turns of
// one conversation.
type Earlier struct {
	Turns       int   // how many answers there were
	Attempts    int   // for all of them
	CostNanos   int64 // of all, as far as it is known, in billionths of a US dollar
	CostUnknown bool  // the price of some of them is not known
	CostPartial bool  // the provider bills more than CostNanos

	PromptTokens, CompletionTokens, TotalTokens, CachedTokens, ReasoningTokens int64
}

// Less is e without its part o.
func (e Earlier) Less(o *Earlier) Earlier {
	e.Turns -= o.Turns
	e.Attempts -= o.Attempts
	e.CostNanos -= o.CostNanos
	e.CostUnknown, e.CostPartial = e.CostUnknown && !o.CostUnknown, e.CostPartial && !o.CostPartial
	e.PromptTokens -= o.PromptTokens
	e.CompletionTokens -= o.CompletionTokens
	e.TotalTokens -= o.TotalTokens
	e.CachedTokens -= o.CachedTokens
	e.ReasoningTokens -= o.ReasoningTokens
	return e
}

// append writes the members, if there was any earlier answer.
func (e *Earlier) append(dst []byte) []byte {
	if e.Turns == 0 {
		return dst
	}
	dst = appendNumber(dst, "turn", int64(e.Turns))
	dst = appendNumber(dst, "earlier_attempts", int64(e.Attempts))
	dst = appendCost(append(dst, `,"earlier_cost_usd":`...), e.CostNanos, true)
	dst = appendFlag(dst, "earlier_cost_unknown", e.CostUnknown)
	dst = appendFlag(dst, "earlier_cost_partial", e.CostPartial)
	dst = appendNumber(dst, "earlier_prompt_tokens", e.PromptTokens)
	dst = appendNumber(dst, "earlier_completion_tokens", e.CompletionTokens)
	dst = appendNumber(dst, "earlier_total_tokens", e.TotalTokens)
	dst = appendNumber(dst, "earlier_cached_tokens", e.CachedTokens)
	return appendNumber(dst, "earlier_reasoning_tokens", e.ReasoningTokens)
}

// set takes over the member that f is at, and reports whether it is one of these. ok says whether
// its value is valid.
func (e *Earlier) set(f *field, ok *bool) bool {
	if string(f.name) == "turn" {
		*ok = f.count(&e.Turns)
		return true
	}
	name, is := bytes.CutPrefix(f.name, []byte("earlier_"))
	if !is {
		return false
	}
	switch string(name) {
	case "attempts":
		*ok = f.count(&e.Attempts)
	case "cost_usd":
		*ok = f.cost(&e.CostNanos, new(bool))
	case "cost_unknown":
		*ok = f.bool(&e.CostUnknown)
	case "cost_partial":
		*ok = f.bool(&e.CostPartial)
	case "prompt_tokens":
		*ok = f.integer(&e.PromptTokens)
	case "completion_tokens":
		*ok = f.integer(&e.CompletionTokens)
	case "total_tokens":
		*ok = f.integer(&e.TotalTokens)
	case "cached_tokens":
		*ok = f.integer(&e.CachedTokens)
	case "reasoning_tokens":
		*ok = f.integer(&e.ReasoningTokens)
	}
	return true
}
