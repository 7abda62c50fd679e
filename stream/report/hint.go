package report

import (
	"errors"
	"io/fs"
	"os"

	"llmpipe/stream/journal"
	"llmpipe/stream/ui"
)

// readHint adds advice to an error of reading a ledger. A ledger that does not exist may have
// another name. path is the first that the user named.
func readHint(path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return journal.Hint(err)
	}
	simulated := journal.DefaultPath("sim:")
	if _, statErr := os.Stat(simulated); statErr == nil && path == journal.DefaultPath("") {
		return ui.WithHint("name "+simulated+", the only ledger here, which is of simulated runs, or set OPENAI_BASE_URL=sim:", err)
	}
	return ui.WithHint("name another ledger with --ledger: a run writes it in its working directory", err)
}

// warnings returns a function for readers of ledgers to report what they left out.
func warnings(voice *ui.Voice) func(string) { return func(s string) { voice.Warn("%s", s) } }
