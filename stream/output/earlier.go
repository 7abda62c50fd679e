package output

import (
	"llmpipe/ledger"
	"llmpipe/stream/record"
)

// AddEarlier counts in a record's line what the answers before its last one took: they are one
// record's.
func AddEarlier(r *record.Result, e *ledger.Earlier) {
	if e.Turns == 0 {
		return
	}
	r.Attempts += e.Attempts
	r.CostNanos += e.CostNanos
	r.CostKnown = (r.CostKnown || r.Err != nil) && !e.CostUnknown
	r.CostPartial = r.CostPartial || e.CostPartial
	u := &r.Earlier
	u.Prompt, u.Completion, u.Total = e.PromptTokens, e.CompletionTokens, e.TotalTokens
	u.Cached, u.Reasoning = e.CachedTokens, e.ReasoningTokens
}
