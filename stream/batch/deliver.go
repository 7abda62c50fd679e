package batch

import (
	"fmt"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/record/attach"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// delivery gives the answers of an ended batch to their records.
type delivery struct {
	flow    *flow.Flow
	shard   *shard
	account *spend.Account
	journal *journal.Journal
	found   *answers
	status  string // the state that the batch ended in

	asked            map[ledger.Key]bool // put into another shard
	refused          map[ledger.Key]bool // counted as failed
	answered, failed int64
	before           int64 // cost of the answers that an earlier collector recorded before it died
	kept             int64 // answers for records that this run's input does not hold
	changed          int64 // records whose files have changed since the batch was submitted

	sent     map[ledger.Key][]ledger.Attachment // files of an earlier run's records, as they were sent
	failures map[[32]byte]*record.Error         // by request: records with equal requests share them
	unsent   int64                              // records that stay without an answer in this run
}

// hand gives every record of this run in the shard its answer. Then it records the answers to the
// shard's other records.
func (d *delivery) hand() error {
	if err := d.lookAtFiles(); err != nil {
		return err
	}
	d.shard.claims.mu.Lock()
	d.shard.claims.over = true
	spool := d.shard.claims.spool
	d.shard.claims.mu.Unlock()
	b := d.shard.batches
	if err := b.readBack(d.flow.Stop.Waiting, spool, b.comeBack, d.give); err != nil {
		return err
	}
	if len(d.found.at) == 0 {
		return nil
	}
	return d.journal.Ledger.ReadShard(d.shard.id, d.keep)
}

// give gives t its answer, and sends t on.
func (d *delivery) give(t *flow.Task) error {
	if d.outdated(t) {
		d.changed++
		d.again(t)
		return nil
	}
	id := d.shard.customID(t.ID, &t.Request)
	first := d.found.use(id)
	d.resume(t)
	if d.recall(t) {
		var unused *flow.Task
		var err error
		if first {
			var out *record.BatchOutput
			d.countRecalled(t)
			out, err = d.found.take(id)
			unused = d.unused(t, out)
		}
		d.commit(t)
		d.writeOff(unused)
		return err
	}
	if d.lapsed(t, first) {
		return nil
	}
	d.claim(t)
	if rejected := d.found.rejection(id); rejected != nil {
		t.Fail(rejected)
	} else {
		out, err := d.found.take(id)
		if err != nil {
			d.flow.Finish(t)
			return err
		}
		if !d.judge(t, out, first) {
			if t.Reply.Class == provider.Exhausted {
				d.shard.exhausted(t.Reply.Err)
			}
			d.again(t)
			return nil
		}
	}
	if d.flow.Inflight.Begin(t) {
		return nil
	}
	if d.overtaken(t) { // a duplicate was committed between the two looks
		recalled := d.recall(t)
		if recalled || t.Misfit() {
			for _, duplicate := range d.flow.Inflight.End(t) {
				duplicate.Duplicate = d.recall(duplicate)
				d.flow.Finish(duplicate)
			}
		}
		switch {
		case recalled:
			d.commit(t)
			return nil
		case d.lapsed(t, false):
			return nil
		}
	}
	if t.Duplicate = d.refused[t.Key]; !t.Duplicate { // else its error is that of its duplicate
		d.count(t)
	}
	d.commit(t)
	return nil
}

// commit sends t to the commit. The shard waits until t is recorded.
func (d *delivery) commit(t *flow.Task) {
	d.flow.Spooled.Grow(t)
	t.Batched = &d.shard.answered
	t.Batched.Committing.Add(1)
	d.flow.Finish(t)
}

// claim marks t as asked in this shard.
func (d *delivery) claim(t *flow.Task) {
	t.Host, t.SentModel, t.Attempts = d.shard.batches.lane.Host, d.shard.kind.model, d.shard.round
	if t.Model != d.shard.kind.model {
		t.DowngradedFrom = t.Model
	}
}

// judge decides t's fate from what the provider said, and reports whether it is final. first says
// that t is the first to take the answer: it bears the cost.
func (d *delivery) judge(t *flow.Task, out *record.BatchOutput, first bool) bool {
	if t.Shaped != nil {
		t.Shaped.Await()
	}
	if out == nil {
		t.Reply.Class, t.Reply.Err = provider.Transient, &record.Error{Type: "batch_missing", Message: "the batch has no answer to the record"}
	} else {
		t.Reply.JudgeBatch(t.Endpoint, out)
	}
	if first {
		bill := d.account.SettleInBatch(t.Host, t.SentModel, &t.Reply, &t.Record)
		t.Cost += bill.Cost
		d.bound(t, &bill)
		t.CostKnown, t.CostStated, t.CostPartial = bill.Known, bill.Stated, t.CostPartial || bill.Partial
	}
	switch t.Reply.Class {
	case provider.OK:
		t.Outcome = flow.Answered
		d.shard.cfg.Shape.Fit(t)
		return true
	case provider.Refused, provider.Fatal:
		t.Fail(t.Reply.Err)
		return true
	case provider.Exhausted:
		return false
	}
	if d.found.stopped {
		return false
	}
	if d.shard.round >= maxRounds && d.shard.rest.round > maxRounds && d.status != batchCancelled {
		t.Fail(t.Reply.Err)
		return true
	}
	return false
}

// bound keeps the most that an answer may have cost if its cost is unknown, and learns from an
// answer that cost more than its bound. If t does not hold the request as it was sent, the most is
// the mean of the shard's reservation.
func (d *delivery) bound(t *flow.Task, bill *spend.Bill) {
	if !d.account.Budgeted() {
		return
	}
	q := spend.Charge{Host: t.Host, Model: t.SentModel, Body: t.Body, Record: &t.Record, What: t}
	worst, err := d.account.WorstInBatch(q)
	mean := t.Body == nil || !t.LookedAt() || d.shard.kind.turn > 0
	if mean {
		worst = d.shard.bill.reserved / max(1, d.shard.file.requests)
	}
	switch {
	case bill.Unclear && err == nil:
		t.MayCost += worst
	case bill.Known && !mean && err == nil:
		d.account.LearnInBatch(q, &t.Reply.Answer.Usage, bill.Cost, worst)
	}
}

// count adds t to the sums of the batch.
func (d *delivery) count(t *flow.Task) {
	if t.Outcome == flow.Answered {
		d.answered++
		d.shard.bill.costKnown = d.shard.bill.costKnown && t.CostKnown
	} else {
		d.failed++
		d.refused[t.Key] = true
		d.fails(t)
	}
	d.shard.bill.cost += t.Cost
	d.shard.bill.kept += t.MayCost
}

// countRecalled is count for a result that an earlier collector of this shard recorded before it
// died.
func (d *delivery) countRecalled(t *flow.Task) {
	if t.Recorded.Shard != d.shard.id {
		return
	}
	d.answered++
	d.shard.bill.costKnown = d.shard.bill.costKnown && t.Recorded.CostKnown
	d.before += t.Recorded.CostNanos
}

// again keeps a record without an answer for another shard. The record stays unsent if the batch
// was cancelled, if the account's quota is used up, or if the run ends.
func (d *delivery) again(t *flow.Task) {
	asked := d.asked[t.Key]
	d.asked[t.Key] = true
	if !asked && t.Cost+t.MayCost > 0 {
		billed := d.entry(t.ID, &t.Request, t.Model)
		billed.Cost, billed.CostPartial, billed.MayCost = t.Cost, t.CostPartial, t.MayCost
		billed.Fail(t.Reply.Err)
		defer d.writeOff(billed)
	}
	t.Reply.Err, t.Attempts, t.Host, t.DowngradedFrom, t.Cost, t.CostPartial, t.MayCost = nil, 0, nil, "", 0, false, 0
	if d.status == batchCancelled || d.found.stopped || d.flow.Stop.Ending() {
		d.unsent++
		d.flow.Finish(t)
		return
	}
	if id := d.journal.Ledger.Look(t.Key).Shard; id == "" || id == d.shard.id {
		t.Duplicate = asked
	}
	if err := d.shard.leaveOver(t); err != nil {
		d.flow.Stop.Fail(err)
		d.flow.Finish(t)
	}
}

// keep records an answer that no record of this run wants. The answer is paid for, and a later run
// may want it.
func (d *delivery) keep(r ledger.ShardRecord) error {
	id := d.shard.customID(r.ID, &r.Request)
	if !d.found.use(id) {
		return nil
	}
	out, err := d.found.take(id)
	if err != nil {
		return err
	}
	model := d.shard.kind.model
	if r.DowngradedFrom != "" {
		model = r.DowngradedFrom
	}
	t := d.entry(r.ID, &r.Request, model)
	d.resume(t)
	recalled := d.journal.Ledger.Look(t.Key).Result != 0 && d.recall(t)
	if recalled || t.Misfit() && t.Recorded.Shard == d.shard.id {
		d.countRecalled(t)
		unused := d.unused(t, out)
		t.Recycle()
		d.writeOff(unused)
		return d.flow.Stop.Waiting.Err()
	}
	for i := range r.Attachments { // only now: a recorded result counts whatever the files hold now
		a := &r.Attachments[i]
		t.Files = append(t.Files, attach.File{Path: a.Path, Size: a.Size, ModTime: a.ModTime, Sum: a.Sum})
	}
	final := d.judge(t, out, true)
	if t.Outcome != flow.Answered {
		t.Fail(t.Reply.Err)
		if final { // else the records with equal requests are asked about
			d.fails(t)
		}
		d.writeOff(t)
		return d.flow.Stop.Waiting.Err()
	}
	d.kept++
	d.shard.batches.comeBack(t)
	d.count(t)
	d.commit(t)
	return d.flow.Stop.Waiting.Err()
}

// tell says how the batch ended.
func (d *delivery) tell(e *ledger.ShardEntry) {
	if d.shard.at.batchID == "" {
		return
	}
	text := fmt.Sprintf("batch %s %s: %s answered, %s failed", d.shard.at.batchID, d.status, ui.Grouped(e.Answered), ui.Grouped(e.Failed))
	if e.Missing > 0 {
		text += ", " + ui.Grouped(e.Missing) + " without an answer"
	}
	if e.CostKnown && e.CostNanos > 0 {
		text += ", " + ui.USD(e.CostNanos) + ui.Simulated(d.shard.batches.client.Rehearses())
	}
	d.flow.Voice.Note("%s", text)
	if d.changed > 0 {
		d.flow.Voice.Note("batch %s: attached files of %s have changed since it was submitted: these are sent again", d.shard.at.batchID,
			ui.Number(d.changed, "record"))
	}
	if d.kept > d.changed {
		d.flow.Voice.Note("batch %s: %s of its answers belong to records that are not in this input: they are kept in the ledger",
			d.shard.at.batchID, ui.Grouped(d.kept-d.changed))
	}
}
