package batch

import (
	"llmpipe/ledger"
	"llmpipe/stream/flow"
)

// A batch is about what files held when it was submitted. Where a later run finds another content
// in one, it keeps the answer and asks about the record anew, as of an answer that was recorded.

// lookAtFiles finds out which files an earlier run has put into the shard, where this one attaches
// some.
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

// outdated reports whether files of t hold something else by now. Otherwise they are noted in t as
// they were sent.
func (d *delivery) outdated(t *flow.Task) bool {
	sent := d.sent[t.Key]
	if len(sent) != len(t.Files) {
		return false
	}
	if !d.journal.Unchanged(sent) {
		return true
	}
	for i := range sent {
		f := &t.Files[i]
		f.Size, f.ModTime, f.Sum = sent[i].Size, sent[i].ModTime, sent[i].Sum
	}
	return false
}
