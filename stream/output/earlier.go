package output

import (
	"llmpipe/ledger"
	"llmpipe/stream/record"
)

// AddEarlier adds the attempts, the cost and the usage of the answers before a record's last one to
// the record's line.
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
