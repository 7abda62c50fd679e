package report

import (
	"encoding/json"
	"fmt"
	"io"

	"llmpipe/ledger/report"
	"llmpipe/stream/ui"
)

// Write writes what ledgers say was spent, as a table for people or as JSON for scripts.
func Write(w io.Writer, voice *ui.Voice, asJSON bool, paths ...string) error {
	sums, err := report.New(warnings(voice), paths...)
	if err != nil {
		return readHint(paths[0], err)
	}
	if !asJSON {
		return writeReport(w, sums)
	}
	line, err := json.Marshal(sums)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.Write(append(line, '\n'))
	return err
}
