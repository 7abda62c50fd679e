package journal

import (
	"llmpipe/ledger"
	"llmpipe/stream/flow"
)

// Attachments are the files that t's request held, as they were read; or, where its answer is one
// that was recorded, what is recorded of them.
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

// Unchanged reports whether t's files hold what they did when a request was made of them. Their
// names are t's: a ledger holds none that is not UTF-8.
func (j *Journal) Unchanged(t *flow.Task, sent []ledger.Attachment) bool {
	for i := range sent {
		if f := &sent[i]; !j.cfg.Folder.Same(t.Files[i].Path, f.Size, f.ModTime, f.Sum) {
			return false
		}
	}
	return true
}

// Stands reports whether r, a result that is found for t, answers what t's files hold now: what of
// them its fingerprint has is the paths. Where it does not, t is a record again that has no result,
// and its Ref says which one does not serve. One that is found by its id alone stands whatever the
// request is.
func (j *Journal) Stands(t *flow.Task, r *ledger.Result) bool {
	if len(t.Files) == 0 || r.Request != t.Request || len(r.Attachments) == len(t.Files) && j.Unchanged(t, r.Attachments) {
		return true
	}
	unfind(t)
	return false
}
