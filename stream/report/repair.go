package report

import (
	"errors"
	"io/fs"

	"llmpipe/ledger"
	"llmpipe/stream/ui"
)

// Repair writes a clean copy of the ledger path to out, or beside the ledger if out is empty, and
// says what was lost. It writes no copy of a ledger without damage.
func Repair(path, out string, voice *ui.Voice) error {
	if out == "" {
		out = path + ".repaired"
	}
	stats, err := ledger.Repair(path, out)
	if errors.Is(err, fs.ErrExist) {
		return ui.WithHint("move that file away, or name another with --out", err)
	}
	if err != nil {
		return readHint(path, err)
	}
	switch {
	case stats.Healthy && stats.Kept == 0:
		voice.Note("%s is empty: there is nothing to repair, and nothing was written", path)
		return nil
	case stats.Healthy:
		voice.Note("%s is healthy: all of its %s are intact, and nothing was written", path, ui.Number(stats.Kept, "line"))
		return nil
	}
	voice.Note("%s kept in %s, %s (%s) lost", ui.Number(stats.Kept, "line"), out, ui.Number(stats.Lost, "piece"),
		ui.Number(stats.LostBytes, "byte"))
	if stats.Aside != "" {
		voice.Note("what could not be read is in %s", stats.Aside)
	}
	if stats.Kept == 0 {
		voice.Warn("nothing in %s is intact, so the copy is empty", path)
		return nil
	}
	voice.Note("to continue with the copy: mv %s %s.damaged && mv %s %s", path, path, out, path)
	return nil
}
