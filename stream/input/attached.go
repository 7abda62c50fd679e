package input

import (
	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/folder"
	"llmpipe/stream/journal"
)

// attached is what admission knows of the files that records name.
type attached struct {
	folder  *folder.Folder // nil: none are attached
	journal *journal.Journal
	results *ledger.Reader
	result  ledger.Result // read last
}

// stands reports whether the result that is found for t answers what its files hold now; see
// [journal.Journal.Stands]. It is read here, before t goes anywhere.
func (a *attached) stands(t *flow.Task) bool {
	if len(t.Files) == 0 {
		return true
	}
	if a.results == nil {
		a.results = a.journal.Ledger.NewReader()
	}
	if a.results.Read(t.Ref, &a.result) != nil {
		return true // who reads it back says what is wrong with it
	}
	return a.journal.Stands(t, &a.result)
}

// look finds out what the files of a record are that is to be asked about. Where that is none that
// can be sent the record fails.
func (a *attached) look(t *flow.Task) {
	if len(t.Files) == 0 {
		return
	}
	if err := a.folder.Look(&t.Record); err != nil {
		t.Fail(err)
	}
}

// show puts into a request that nobody is asked what its files are.
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
