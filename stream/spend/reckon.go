package spend

import (
	"errors"
	"fmt"

	"llmpipe/ledger/price"
	"llmpipe/limiter"
	"llmpipe/stream/ui"
)

// Reckoning is what requests in batches may cost, and what that is made of, in billionths of a
// dollar.
type Reckoning struct {
	Worst  int64 // the most
	Prompt int64 // the part of Worst for the prompts
	Token  int64 // what one more token of max_tokens adds
	Likely int64 // what they cost if each answer is half as long as it may be
}

// Add adds what other requests may cost.
func (r *Reckoning) Add(other Reckoning) {
	r.Worst += other.Worst
	r.Prompt += other.Prompt
	r.Token += other.Token
	r.Likely += other.Likely
}

// ReckonInBatch works out what q may cost in a batch: zero if no price is known. It takes longer
// than [Account.WorstInBatch], because it estimates the tokens of the text.
func (a *Account) ReckonInBatch(q Charge) Reckoning {
	bounds := a.bounds(nil, q.Host, q.Model)
	if len(bounds) == 0 {
		return Reckoning{}
	}
	p := &bounds[0]
	most := a.most(q, p)
	bare := most
	bare.Completion, bare.AudioOut = 0, 0
	worst, _ := p.WorstBatchCost(most) // 0 if there is no price for batches
	prompt, _ := p.WorstBatchCost(bare)
	likely, _ := p.BatchCost(price.Tokens{Prompt: int64(q.Record.EstimateTokens(q.Model)), Completion: most.Completion / 2})
	return Reckoning{
		Worst: worst, Prompt: prompt, Token: (worst - prompt) * int64(q.Record.N) / max(1, most.Completion), Likely: min(likely, worst),
	}
}

// Left is what the budgets have left, including what is held.
func (a *Account) Left() int64 { return limiter.Left(a.Budgets()) }

// Expected estimates how many records the inputs hold. ok is false if their size does not tell.
func (a *Account) Expected() (records int64, ok bool) { return a.expected() }

// StopForBatch ends the run because what is left of the budget is too little for another batch.
func (a *Account) StopForBatch() {
	limiter.UseUp(a.Budgets())
	left := ui.USD(a.Left()) + a.mark()
	if a.total == nil {
		a.flow.Stop.Pause(ui.WithHint("run the same command again tomorrow (UTC), or with a larger --budget-per-day",
			fmt.Errorf("over budget: %s left, which is too little for another batch", left)))
		return
	}
	a.flow.Stop.OverBudget(ui.WithHint(
		"run the same command with --mode realtime to spend the rest, or with a larger --budget to continue",
		errors.New("over budget: "+left+" left, which is too little for another batch")))
	a.Watch()
}
