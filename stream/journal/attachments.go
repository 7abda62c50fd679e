package journal

import (
	"llmpipe/ledger"
	"llmpipe/stream/flow"
)

// attachments are the files that t's request held, as they were read; or, where its answer is one
// that was recorded, what is recorded of them.
func attachments(t *flow.Task) []ledger.Attachment {
	var all []ledger.Attachment
	for i := range t.Files {
		f := &t.Files[i]
		if f.Sum == [32]byte{} {
			return t.Recorded.Attachments
		}
		all = append(all, ledger.Attachment{Path: f.Path, Size: f.Size, ModTime: f.ModTime, Sum: f.Sum})
	}
	return all
}

// Unfind makes t a record again that has no result: the one that was found counts no more.
func (j *Journal) Unfind(t *flow.Task) {
	t.Outcome, t.Emitted, t.Claimed, t.Recent, t.Same = flow.Unsent, false, false, false, false
}
