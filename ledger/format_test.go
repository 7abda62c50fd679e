package ledger

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"
)

// testdata/format1.jsonl is format 1 as it is in people's files: a change of it is a new format.
func TestTheFormatStaysAsItIs(t *testing.T) {
	data, _ := smallLedger(t)
	if want := read(t, filepath.Join("testdata", "format1.jsonl")); !bytes.Equal(data, want) {
		t.Errorf("the ledger is\n%s\nwant\n%s", data, want)
	}
	for line := range bytes.Lines(data) {
		var object map[string]any
		if err := json.Unmarshal(line, &object); err != nil {
			t.Errorf("not JSON: %v: %s", err, line)
		}
	}
}

func TestFsyncNames(t *testing.T) {
	for _, want := range []Fsync{FsyncAlways, FsyncEverySecond, FsyncNever} {
		var got Fsync
		if err := got.UnmarshalText([]byte(want.String())); got != want || err != nil {
			t.Errorf("%s: %v, %v", want, got, err)
		}
	}
	if _, err := ParseFsync("sometimes"); err == nil {
		t.Error("sometimes is a name")
	}
}
