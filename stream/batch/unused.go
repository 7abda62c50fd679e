package batch

import (
	"bytes"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// entry returns a task for the ledger alone, about a request of the shard.
func (d *delivery) entry(id []byte, request *[32]byte, model string) *flow.Task {
	t := flow.NewTask()
	t.ID, t.Request, t.Endpoint, t.Model = bytes.Clone(id), *request, d.shard.kind.endpoint, model
	t.Key = ledger.KeyOf(t.ID, &t.Request)
	t.LedgerOnly = true
	d.claim(t)
	return t
}

// unused returns the entry for out, the batch's answer to t, if t has got another answer. It
// returns nil if t's recorded answer is this one.
func (d *delivery) unused(t *flow.Task, out *record.BatchOutput) *flow.Task {
	if out == nil || t.Recorded.Shard == d.shard.id {
		return nil
	}
	e := d.entry(t.ID, &t.Request, t.Model)
	d.judge(e, out, true)
	e.Fail(&record.Error{Type: "batch_unused", Message: "the record was answered in another way before the batch was collected"})
	return e
}

// writeOff records the cost of an answer that nobody uses, as a failure that was billed.
func (d *delivery) writeOff(t *flow.Task) {
	if t == nil {
		return
	}
	if t.Cost+t.MayCost == 0 {
		t.Recycle()
		return
	}
	d.shard.bill.cost += t.Cost
	d.shard.bill.kept += t.MayCost
	d.account.Book(t, true)
	d.shard.batches.comeBack(t)
	d.commit(t)
}

// A batch is about what the files held when it was submitted. If a later run finds that a file has
// changed, it records the answer and asks about the record again, as it does for any recorded
// answer.

// lookAtFiles finds out which files an earlier run put into the shard, if this run attaches files.
func (d *delivery) lookAtFiles() error {
	if !d.shard.earlier || d.shard.cfg.Folder == nil {
		return nil
	}
	d.sent = make(map[ledger.Key][]ledger.Attachment)
	return d.journal.Ledger.ReadShard(d.shard.id, func(r ledger.ShardRecord) error {
		if r.Attachments != nil {
			d.sent[ledger.KeyOf(r.ID, &r.Request)] = r.Attachments
		}
		return nil
	})
}

// outdated reports whether files of t have changed since they were sent. If not, it notes in t what
// they were when they were sent.
func (d *delivery) outdated(t *flow.Task) bool {
	sent := d.sent[t.Key]
	if len(sent) != len(t.Files) {
		return false
	}
	if !d.journal.Unchanged(t, sent) {
		return true
	}
	for i := range sent {
		f := &t.Files[i]
		f.Size, f.ModTime, f.Sum = sent[i].Size, sent[i].ModTime, sent[i].Sum
	}
	return false
}
