package batch

import (
	"fmt"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// delivery gives the answers of an ended batch to the records that they are for.
type delivery struct {
	flow    *flow.Flow
	shard   *shard
	account *spend.Account
	journal *journal.Journal
	found   *answers
	status  string // in which the batch ended

	asked            map[ledger.Key]bool // put into another shard
	refused          map[ledger.Key]bool // counted as failed
	answered, failed int64
	before           int64 // cost of the answers that were recorded before by who died while collecting
	kept             int64 // answers for records that this run's input does not hold
	unsent           int64 // without an answer, and not asked again by this run
}

// hand gives every record of this run that is in the shard its answer, and then the ledger those
// for others.
func (h *delivery) hand() error {
	h.shard.claims.mu.Lock()
	h.shard.claims.over = true
	spool := h.shard.claims.spool
	h.shard.claims.mu.Unlock()
	if spool != nil {
		decode, err := record.NewDecoder(h.shard.batches.options())
		if err != nil {
			return err
		}
		err = spool.each(decode, func(t *flow.Task) error {
			if err := h.flow.Stop.Waiting.Err(); err != nil {
				t.Recycle()
				return err
			}
			h.shard.batches.Spooled.Add(-1)
			h.shard.batches.comeBack(t)
			return h.give(t)
		})
		if err != nil {
			return err
		}
	}
	if len(h.found.at) == 0 {
		return nil
	}
	return h.journal.Ledger.ReadShard(h.shard.id, h.keep)
}

// comeBack waits for room for t on its way from the disk to the commit.
func (b *Batches) comeBack(t *flow.Task) {
	t.FromDisk = true
	b.flow.Spooled.Enter(t, false)
}

// give finds t's answer and passes t on.
func (h *delivery) give(t *flow.Task) error {
	id := customID(t.ID, &t.Request)
	first := h.found.use(id)
	if h.recall(t) {
		var unused *flow.Task
		var err error
		if first {
			var out *record.BatchOutput
			h.countRecalled(t)
			out, err = h.found.take(id)
			unused = h.unused(t, out)
		}
		h.commit(t)
		h.writeOff(unused)
		return err
	}
	h.claim(t)
	if rejected := h.found.rejection(id); rejected != nil {
		t.Fail(rejected)
	} else {
		out, err := h.found.take(id)
		if err != nil {
			h.flow.Finish(t)
			return err
		}
		if !h.judge(t, out, first) {
			if t.Reply.Class == provider.Exhausted {
				h.shard.exhausted(t.Reply.Err)
			}
			h.again(t)
			return nil
		}
	}
	if h.flow.Inflight.Begin(t) {
		return nil
	}
	if t.Duplicate && h.recall(t) { // its duplicate was committed between the two looks
		for _, duplicate := range h.flow.Inflight.End(t) {
			duplicate.Duplicate = h.recall(duplicate)
			h.flow.Finish(duplicate)
		}
		h.commit(t)
		return nil
	}
	if t.Duplicate = h.refused[t.Key]; !t.Duplicate { // else its duplicate's error is its own
		h.count(t)
	}
	h.commit(t)
	return nil
}

// recall gives t the result that is recorded for it, and reports whether there is one.
func (h *delivery) recall(t *flow.Task) bool {
	return h.journal.Recall(t, h.journal.Ledger.Look(t.Key))
}

// commit passes t on to the commit, which the shard waits for.
func (h *delivery) commit(t *flow.Task) {
	h.flow.Spooled.Grow(t)
	t.Batched = &h.shard.answered
	t.Batched.Committing.Add(1)
	h.flow.Finish(t)
}

// claim makes t a request that was made here.
func (h *delivery) claim(t *flow.Task) {
	t.Host, t.SentModel, t.Attempts = h.shard.batches.lane.Host, h.shard.kind.model, h.shard.round
	if t.Model != h.shard.kind.model {
		t.DowngradedFrom = t.Model
	}
}

// judge makes what the provider says of t its fate, and reports whether that is final. An answer's
// cost counts with its first taker.
func (h *delivery) judge(t *flow.Task, out *record.BatchOutput, first bool) bool {
	if out == nil {
		t.Reply.Class, t.Reply.Err = provider.Transient, &record.Error{Type: "batch_missing", Message: "the batch has no answer for the record"}
	} else {
		t.Reply.JudgeBatch(t.Endpoint, out)
	}
	if first {
		var cost int64
		cost, t.CostKnown, _ = h.account.Settle(t.Host, t.SentModel, &t.Reply, true)
		t.Cost += cost
	}
	switch t.Reply.Class {
	case provider.OK:
		t.Outcome = flow.Answered
		return true
	case provider.Refused, provider.Fatal:
		t.Fail(t.Reply.Err)
		return true
	case provider.Exhausted:
		return false
	}
	if h.found.stopped {
		return false
	}
	if h.shard.round >= maxRounds && h.shard.rest.round > maxRounds && h.status != batchCancelled {
		t.Fail(t.Reply.Err)
		return true
	}
	return false
}

// count adds up what the batch has come to.
func (h *delivery) count(t *flow.Task) {
	if t.Outcome == flow.Answered {
		h.answered++
		h.shard.bill.costKnown = h.shard.bill.costKnown && t.CostKnown
	} else {
		h.failed++
		h.refused[t.Key] = true
	}
	h.shard.bill.cost += t.Cost
}

// countRecalled is count for a result that was recorded before: by this shard's last collector, who
// died at it.
func (h *delivery) countRecalled(t *flow.Task) {
	if t.Recorded.Shard != h.shard.id {
		return
	}
	h.answered++
	h.shard.bill.costKnown = h.shard.bill.costKnown && t.Recorded.CostKnown
	h.before += t.Recorded.CostNanos
}

// again sees to a record without an answer: it goes into another shard when this one is collected,
// or stays unsent where somebody wanted the batch to end.
func (h *delivery) again(t *flow.Task) {
	asked := h.asked[t.Key]
	h.asked[t.Key] = true
	if !asked && t.Cost > 0 {
		billed := h.entry(t.ID, &t.Request, t.Model)
		billed.Cost = t.Cost
		billed.Fail(t.Reply.Err)
		defer h.writeOff(billed)
	}
	t.Reply.Err, t.Attempts, t.Host, t.DowngradedFrom, t.Cost = nil, 0, nil, "", 0
	if h.status == batchCancelled || h.found.stopped || h.flow.Stop.Ending() {
		h.unsent++
		h.flow.Finish(t)
		return
	}
	if id := h.journal.Ledger.Look(t.Key).Shard; id == "" || id == h.shard.id {
		t.Duplicate = asked
	}
	if err := h.shard.leaveOver(t); err != nil {
		h.flow.Stop.Fail(err)
		h.flow.Finish(t)
	}
}

// keep records the answer to a request that no record of this run makes: it is paid for, and a
// later run may want it.
func (h *delivery) keep(r ledger.ShardRecord) error {
	id := customID(r.ID, &r.Request)
	if !h.found.use(id) {
		return nil
	}
	out, err := h.found.take(id)
	if err != nil {
		return err
	}
	model := h.shard.kind.model
	if r.DowngradedFrom != "" {
		model = r.DowngradedFrom
	}
	t := h.entry(r.ID, &r.Request, model)
	if found := h.journal.Ledger.Look(t.Key); found.Result != 0 && h.journal.Recall(t, found) {
		h.countRecalled(t)
		unused := h.unused(t, out)
		t.Recycle()
		h.writeOff(unused)
		return h.flow.Stop.Waiting.Err()
	}
	if !h.judge(t, out, true) || t.Outcome != flow.Answered {
		t.Fail(t.Reply.Err)
		h.writeOff(t)
		return h.flow.Stop.Waiting.Err()
	}
	h.kept++
	h.shard.batches.comeBack(t)
	h.count(t)
	h.commit(t)
	return h.flow.Stop.Waiting.Err()
}

// tell says how the batch ended.
func (h *delivery) tell(e *ledger.ShardEntry) {
	if h.shard.at.batchID == "" {
		return
	}
	text := fmt.Sprintf("batch %s %s: %s answered, %s failed", h.shard.at.batchID, h.status, ui.Grouped(e.Answered), ui.Grouped(e.Failed))
	if e.Missing > 0 {
		text += ", " + ui.Grouped(e.Missing) + " without an answer"
	}
	if e.CostKnown && e.CostNanos > 0 {
		text += ", " + ui.USD(e.CostNanos)
	}
	h.flow.Voice.Note("%s", text)
	if h.kept > 0 {
		h.flow.Voice.Note("batch %s: %s of its answers are for records that this input does not hold: they are in the ledger", h.shard.at.batchID,
			ui.Grouped(h.kept))
	}
}
