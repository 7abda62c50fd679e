package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"

	"llmpipe/ledger"
)

// commitGroup is how many records a commit holds at most.
const commitGroup = 256

// recorded returns how many results a ledger holds of each id, in whole lines. There may be no such
// file yet.
func recorded(t testing.TB, path string) map[string]int {
	t.Helper()
	ids := make(map[string]int)
	err := ledger.Scan(path, nil, func(e ledger.Entry) error {
		if e.Result != nil {
			ids[string(e.Result.ID)]++
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return ids
}

// written is what a file of output lines holds.
type written struct {
	ids  map[string]int // how many lines of each id, the whole ones
	torn int            // lines that are not whole
}

// readOutput reads a file of output lines. There may be no such file yet.
func readOutput(t testing.TB, path string) written {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return parseOutput(text)
}

func parseOutput(text []byte) written {
	w := written{ids: make(map[string]int)}
	for line := range bytes.Lines(text) {
		var r struct {
			ID        json.RawMessage `json:"id"`
			Content   *string         `json:"content"`
			Embedding json.RawMessage `json:"embedding"`
		}
		if err := json.Unmarshal(line, &r); err != nil || r.Content == nil && r.Embedding == nil || !bytes.HasSuffix(line, []byte("\n")) {
			w.torn++
			continue
		}
		w.ids[string(r.ID)]++
	}
	return w
}

// checkOnceEach fails unless there are n ids, each once.
func checkOnceEach(t testing.TB, what string, ids map[string]int, n int) {
	t.Helper()
	if len(ids) != n {
		t.Errorf("%s: %d records, want %d", what, len(ids), n)
	}
	for id, times := range ids {
		if times != 1 {
			t.Errorf("%s: record %s is there %d times", what, id, times)
		}
	}
}

// fileSize is 0 for a file that is not there.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
