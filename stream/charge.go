package stream

import (
	"bytes"

	"llmpipe/ledger"
	"llmpipe/stream/record"
)

// entry is a request of the shard for the ledger alone: no record of the input shows what becomes of it.
func (h *handout) entry(id []byte, request *[32]byte, model string) *Task {
	t := newTask()
	t.ID, t.Request, t.Endpoint, t.Model = bytes.Clone(id), *request, h.shard.kind.endpoint, model
	t.key = ledger.KeyOf(t.ID, &t.Request)
	t.gone = true
	h.claim(t)
	return t
}

// unused is what the batch charges for out, its answer to t, where t has got another. It is nil where that is this one, recorded before.
func (h *handout) unused(t *Task, out *record.BatchOutput) *Task {
	if out == nil || t.Recorded.Shard == h.shard.id {
		return nil
	}
	e := h.entry(t.ID, &t.Request, t.Model)
	h.judge(e, out, true)
	e.Fail(&record.Error{Type: "batch_unused", Message: "the record was answered another way before the batch was collected"})
	return e
}

// charge writes down what an answer has cost that nobody uses, as a failure that was billed.
func (h *handout) charge(t *Task) {
	if t == nil {
		return
	}
	if t.Cost == 0 {
		t.recycle()
		return
	}
	h.shard.cost += t.Cost
	h.flow.counts.cost.Add(t.Cost)
	h.shard.batcher.comeBack(t)
	h.commit(t)
}
