package flow

import (
	"bytes"

	"llmpipe/ledger"
	"llmpipe/stream/record/fit"
	"llmpipe/stream/record/schema"
	"llmpipe/stream/record/usage"
)

// Shape is what answers are held to.
type Shape struct {
	// Schema is what answers must fit; nil for no schema.
	Schema *schema.Schema
	// Reask is how often an answer that does not fit is asked for again, with what is wrong about it.
	Reask int
}

// Shaped is how the answer to a record fits, and what came before it: answers that did not fit. It
// is not written to once its record is finished, because other records may share it.
type Shaped struct {
	Fit     fit.Fit
	Said    []byte         // the content of an answer that does not fit, a copied JSON string; nil for none
	Again   bool           // the record is to be asked again, as a further turn
	Foreign bool           // the answer is another record's, to an equal request, and not of this conversation
	Turns   int            // further turns since the record was last asked about from the start
	Floor   int            // the first tier of lanes where its attempts were not used up
	Lowered string         // the cheaper model that it was asked for; empty for none
	Earlier ledger.Earlier // what the earlier answers took
	// Elsewhere is the part of Earlier that stands in the line of an earlier duplicate of the record.
	Elsewhere ledger.Earlier
}

// Misfit reports whether t has an answer that does not fit.
func (t *Task) Misfit() bool { return t.Shaped != nil && t.Shaped.Fit.Wrong != nil }

// Fit checks t's answer against the shape, and decides whether one that does not fit is asked for
// again.
func (s *Shape) Fit(t *Task) {
	if s.Schema == nil {
		return
	}
	if t.Shaped == nil {
		t.Shaped = new(Shaped)
	}
	h := t.Shaped
	h.Await()
	h.Fit = fit.Of(&t.Reply.Answer, s.Schema)
	if h.Fit.Wrong != nil {
		h.Said = bytes.Clone(t.Reply.Answer.Content)
		h.Again = h.Fit.Code == "" && h.Turns < s.Reask
	}
}

// PutBehind adds what an answer took to what the earlier answers took.
func (h *Shaped) PutBehind(attempts int, cost int64, known, partial bool, u *usage.Counts) {
	e := &h.Earlier
	e.Turns++
	e.Attempts += attempts
	e.CostNanos += cost
	e.CostUnknown, e.CostPartial = e.CostUnknown || !known, e.CostPartial || partial
	e.PromptTokens += u.Prompt
	e.CompletionTokens += u.Completion
	e.TotalTokens += u.Total
	e.CachedTokens += u.Cached
	e.ReasoningTokens += u.Reasoning
}

// answered adds what t's recorded answer took to what the earlier answers took, and makes t a
// record without an answer.
func (t *Task) answered() {
	t.Shaped.PutBehind(t.Attempts, t.Cost, t.CostKnown, t.CostPartial, &t.Reply.Answer.Usage)
	t.Attempts, t.Cost, t.CostKnown, t.CostStated, t.CostPartial, t.MayCost = 0, 0, false, false, false, 0
	t.Outcome, t.Risk = Unsent, Risk{} // the result in the ledger ended the risk
}

// Lapse ends a turn of t whose answer is recorded and does not fit. t is then to be asked again, or
// has failed.
func (t *Task) Lapse() {
	t.answered()
	if !t.Shaped.Again {
		t.Fail(t.Shaped.Fit.Err())
	}
}

// Continue turns t's request into that of its next turn, and reports whether there is to be one.
func (t *Task) Continue() bool {
	h := t.Shaped
	if h == nil || h.Fit.Wrong == nil {
		return false
	}
	again := h.Again && !h.Foreign
	if again {
		h.Turns++
		t.Record.Continue(h.Said, "That does not fit: "+h.Fit.Wrong.String()+
			". Answer again, with nothing but the one JSON value that was asked for, mended.")
	}
	h.Await()
	t.Reply.LetGo()
	t.Reply = t.Reply.Anew()
	return again
}

// Await forgets how the last answer fits: another is to come.
func (h *Shaped) Await() { h.Fit, h.Said, h.Again, h.Foreign = fit.Fit{}, nil, false, false }

// Resume notes that t's conversation has taken so many further turns. Nothing more is known of them
// then, except what another line has.
func (t *Task) Resume(turns int) {
	h := Shaped{Turns: max(turns, 0), Elsewhere: t.Elsewhere()}
	if t.Shaped = nil; h.Turns > 0 || h.Elsewhere != (ledger.Earlier{}) {
		t.Shaped = &h
	}
}

// Elsewhere is what the line of an earlier duplicate of t has of t's earlier answers.
func (t *Task) Elsewhere() ledger.Earlier {
	if t.Shaped == nil {
		return ledger.Earlier{}
	}
	return t.Shaped.Elsewhere
}

// Turns is how many further turns t's conversation has taken.
func (t *Task) Turns() int {
	if t.Shaped == nil {
		return 0
	}
	return t.Shaped.Turns
}
