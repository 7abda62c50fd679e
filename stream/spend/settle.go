package spend

import (
	"math"

	"llmpipe/ledger/price"
	"llmpipe/stream/flow"
	"llmpipe/stream/naming"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/record/media"
	"llmpipe/stream/record/usage"
)

// Bill is what an attempt cost.
type Bill struct {
	Cost    int64 // billionths of a dollar; 0 unless Known
	Known   bool  // the provider said enough to work it out
	Unclear bool  // it may charge for the attempt, and did not say how much
	Stated  bool  // the provider stated the cost itself
	Partial bool  // it bills more than Cost: something without a known price

	rest int64 // of the cost, in millionths of a billionth
}

// Settle works out what the attempt behind reply cost, and counts it. The cost is what the provider
// states, or else what the tokens cost at the tier that the answer names. rec is the record that
// was asked about.
func (a *Account) Settle(h *flow.Host, model string, reply *provider.Reply, rec *record.Record) Bill {
	return a.settle(h, model, reply, rec, billedTier(&reply.Answer, rec.Tier))
}

// SettleInBatch is [Account.Settle] for an answer from a batch, whatever tier the answer names.
func (a *Account) SettleInBatch(h *flow.Host, model string, reply *provider.Reply, rec *record.Record) Bill {
	return a.settle(h, model, reply, rec, inBatch)
}

// inBatch stands for the tier of an answer from a batch. Such an answer has no price if the model
// has no price for batches.
const inBatch = price.Tier(math.MaxUint8)

func (a *Account) settle(h *flow.Host, model string, reply *provider.Reply, rec *record.Record, tier price.Tier) Bill {
	answer := &reply.Answer
	if !answer.HasUsage && !answer.HasStated {
		// Failed lines of a batch are not billed, whatever their status.
		return Bill{Unclear: reply.Sent || tier != inBatch && reply.MayBeBilled()}
	}
	p := a.answered(h, model, answer)
	if tier == inBatch {
		tier, p.ok = price.Batched, p.ok && p.HasBatch
	}
	p.Price = p.At(tier)
	bill := p.bill(answer, rec, a.prices.table.Free())
	switch {
	case bill.Known:
		bill.Cost += a.rounded.add(bill.rest)
		a.spent.Add(bill.Cost)
		if h.Client.Rehearses() {
			a.rehearsed.spent.Add(bill.Cost)
		}
		a.billed.Add(1)
		a.outputs.add(answer.Usage.Completion)
	case !bill.Unclear:
		a.unknownPrice(h, model)
	}
	if bill.Partial && a.Budgeted() {
		a.partial.Do(func() {
			a.flow.Voice.Warn("for answers of %[2]q, %[1]s bills more than tokens (sound, images or tools) at an unknown price: "+
				"their cost_usd is a lower bound (cost_partial), and the budget is no guarantee", h.Name, naming.Short(model))
		})
	}
	return bill
}

// bill works out what an answer costs. What the provider states wins, except a 0 if there is a
// price: gateways state 0 for models whose price they do not know.
func (p *priced) bill(answer *record.Answer, rec *record.Record, free bool) Bill {
	t := tokens(answer, rec)
	var cost, rest int64
	if p.ok && answer.HasUsage {
		cost, rest = p.Exact(t)
	}
	stated := answer.Stated
	switch {
	case free:
		return Bill{Known: true}
	case answer.HasStated && (stated != usage.Cost{} || cost == 0 && rest == 0):
		return Bill{Cost: stated.Nanos, rest: stated.Rest, Known: true, Stated: true}
	case !p.ok:
		return Bill{}
	case answer.Usage.Total == 0 && answer.Flag() == "" && p.Cost(price.Tokens{Prompt: 1, Completion: 1}) > 0:
		return Bill{Unclear: true} // no answer takes zero tokens
	}
	return Bill{Cost: cost, rest: rest, Known: true, Partial: p.misses(t, answer, rec)}
}

// misses reports whether p has no rate for a part of what an answer is billed for.
func (p *priced) misses(t price.Tokens, answer *record.Answer, rec *record.Record) bool {
	return answer.Uncounted && !p.FreeOfCharge() || !p.Whole(t) ||
		p.Fees.Image && (rec.HasMedia(media.Image) || mentions(rec.Body, imageParts...))
}

// billedTier is the tier that an answer names. If it names none, it is the priority tier if that
// was asked for, and else the standard one: to ask for a cheaper tier does not prove that it was
// billed.
func billedTier(a *record.Answer, asked string) price.Tier {
	if a.Tier != nil {
		return price.TierOf(unquoted(a.Tier))
	}
	if tier := price.TierOf(asked); tier == price.Priority {
		return tier
	}
	return price.Standard
}

// tokens are what an answer is billed for.
func tokens(a *record.Answer, asked *record.Record) price.Tokens {
	u := &a.Usage
	context := price.SearchContextOf(asked.SearchContext)
	if a.Context != nil {
		context = price.SearchContextOf(unquoted(a.Context))
	}
	return price.Tokens{
		Prompt: u.Prompt, Cached: u.Cached, CacheWrite: u.CacheWrite, CacheHour: u.CacheHour, AudioIn: u.AudioIn, ImageIn: u.ImageIn,
		Completion: u.Completion, Reasoning: u.Reasoning, AudioOut: u.AudioOut, ImageOut: u.ImageOut,
		Searches: u.Searches, Context: context,
	}
}

// unquoted strips the quotes from a JSON string that holds a plain word.
func unquoted(text []byte) string { return string(text[1 : len(text)-1]) }
