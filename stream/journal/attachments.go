package journal

import (
	"llmpipe/ledger"
	"llmpipe/stream/flow"
)

// Attachments returns the files of t's request as they were read. If t's answer is a recorded one,
// it returns what is recorded of them.
func Attachments(t *flow.Task) []ledger.Attachment {
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

// Unchanged reports whether t's files still hold what they did when a request was made of them. It
// takes the files' names from t, because a ledger cannot hold names that are not UTF-8.
func (j *Journal) Unchanged(t *flow.Task, sent []ledger.Attachment) bool {
	for i := range sent {
		if f := &sent[i]; !j.cfg.Folder.Same(t.Files[i].Path, f.Size, f.ModTime, f.Sum) {
			return false
		}
	}
	return true
}

// Stands reports whether r, a result that was found for t, answers what t's files hold now. It has
// to look at the files because the request's fingerprint covers only their paths. If r does not
// stand, t is again a record without a result, and t.Ref still names the result that does not
// serve. A result that was found by its id alone stands whatever its request was.
func (j *Journal) Stands(t *flow.Task, r *ledger.Result) bool {
	if len(t.Files) == 0 || r.Request != t.Request || len(r.Attachments) == len(t.Files) && j.Unchanged(t, r.Attachments) {
		return true
	}
	unfind(t)
	return false
}
