package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
	"llmpipe/ledger/report"
	"llmpipe/stream/ui"
)

// Models writes the price table in force, with the prices of a file over those built in if one is named.
func Models(w io.Writer, asJSON bool, file string) error {
	loaded, err := LoadPrices(file)
	if err != nil {
		return err
	}
	list := (&MoneyConfig{Prices: loaded}).prices(time.Now()).List()
	if asJSON {
		return json.NewEncoder(w).Encode(list)
	}
	return writePrices(w, list)
}

// LoadPrices returns the built-in prices with those of a file over them, nil when none is named.
func LoadPrices(name string) (*price.Table, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--prices: %w", err)
	}
	defer file.Close()
	prices, err := price.Load(file, time.Now())
	if err != nil {
		return nil, fmt.Errorf("--prices %s: %w", name, err)
	}
	return prices, nil
}

// Report writes what ledgers say was spent, as a table for people or as JSON for scripts.
func Report(w io.Writer, asJSON bool, paths ...string) error {
	sums, err := report.New(paths...)
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

// readHint is the hint for an error of reading a ledger. One that is not there may have been looked for under the wrong name.
func readHint(path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return ledgerHint(path, err)
	}
	simulated := DefaultLedger("sim:")
	if _, statErr := os.Stat(simulated); statErr == nil && path == DefaultLedger("") {
		return ui.WithHint("there is only "+simulated+", of simulated runs: name that, or set OPENAI_BASE_URL=sim:", err)
	}
	return ui.WithHint("a run writes it, in the directory that it runs in: name another with --ledger", err)
}

// Repair writes a clean copy of the ledger path to out, or beside it when out is empty, and says what was lost.
func Repair(path, out string, voice *ui.Voice) error {
	if out == "" {
		out = path + ".repaired"
	}
	stats, err := ledger.Repair(path, out)
	if errors.Is(err, fs.ErrExist) {
		return ui.WithHint("move it away, or name another with --out", err)
	}
	if err != nil {
		return readHint(path, err)
	}
	voice.Note("%s kept in %s, %s (%s) lost", ui.Number(stats.Kept, "line"), out, ui.Number(stats.Lost, "piece"),
		ui.Number(stats.LostBytes, "byte"))
	if stats.Aside != "" {
		voice.Note("what could not be read is in %s", stats.Aside)
	}
	if stats.Kept == 0 {
		voice.Warn("nothing of %s is whole, so the copy is empty", path)
		return nil
	}
	voice.Note("to go on with it: mv %s %s.damaged && mv %s %s", path, path, out, path)
	return nil
}
