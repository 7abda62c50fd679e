package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/report"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// Write writes a report on ledgers, as a table for people or as JSON for scripts.
func Write(w io.Writer, voice *ui.Voice, asJSON bool, paths ...string) error {
	sums, err := add(voice, paths)
	if err != nil {
		return err
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

// add adds up ledgers.
func add(voice *ui.Voice, paths []string) (*report.Report, error) {
	sums, err := report.New(report.Options{Now: time.Now(), Flag: flagOf, Warn: warnings(voice)}, paths...)
	if err != nil {
		return nil, readHint(paths[0], err)
	}
	return sums, nil
}

// flagOf returns what is wrong with a recorded answer that is not an error, as in the filter's
// output line.
func flagOf(r *ledger.Result) string {
	endpoint, err := record.ParseEndpoint(r.Endpoint)
	if err != nil {
		return ""
	}
	answer, err := record.RecallAnswer(endpoint, r.Response)
	if err != nil {
		return ""
	}
	return answer.Flag()
}
