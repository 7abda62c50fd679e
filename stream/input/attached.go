package input

import (
	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/folder"
	"llmpipe/stream/journal"
)

// attached is what admission needs for the files that records name.
type attached struct {
	folder  *folder.Folder // nil: none are attached
	journal *journal.Journal
	results *ledger.Reader
	result  ledger.Result // read last
}

// stands reports whether t's recorded result is an answer to the current contents of its files; see
// [journal.Journal.Stands]. The result is read here, before t is sent on.
func (a *attached) stands(t *flow.Task) bool {
	if len(t.Files) == 0 {
		return true
	}
	if a.results == nil {
		a.results = a.journal.Ledger.NewReader()
	}
	if a.results.Read(t.Ref, &a.result) != nil {
		return true // reading it back later reports the error
	}
	return a.journal.Stands(t, &a.result)
}

// look inspects the files of a record that has to be asked. If one of them cannot be sent, the
// record fails.
func (a *attached) look(t *flow.Task) {
	if len(t.Files) == 0 {
		return
	}
	if err := a.folder.Look(&t.Record); err != nil {
		t.Fail(err)
	}
}

// show puts the size and the hash of each file into the request, for --dry-run.
func (a *attached) show(t *flow.Task) {
	if len(t.Files) == 0 {
		return
	}
	body, err := a.folder.Show(nil, &t.Record, t.Body)
	if err != nil {
		t.Fail(err)
		return
	}
	t.Body = body
}
