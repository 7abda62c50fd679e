package batch

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"llmpipe/stream/flow"
	"llmpipe/stream/folder"
	"llmpipe/stream/record"
)

// TestShardFile has what a shard's file holds: each request on a line, with its files, and nothing
// of those that could not be written whole.
func TestShardFile(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "t.txt")
	from, err := folder.Open(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	decode, err := record.NewDecoder(record.Options{Model: "m", Template: "x", Attach: []string{"f"}})
	if err != nil {
		t.Fatal(err)
	}
	withFile := func(content string) *record.Record {
		if err := os.WriteFile(text, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		r := new(record.Record)
		if err := decode.Decode(r, []byte(`{"f":"t.txt"}`)); err != nil {
			t.Fatal(err)
		}
		if err := from.Look(r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	upload, err := flow.NewTemporary("test-")
	if err != nil {
		t.Fatal(err)
	}
	defer upload.Discard()
	f := shardFile{upload: upload, w: bufio.NewWriter(upload)}
	put := func(body string, r *record.Record) error {
		return f.put(&request{head: []byte("<"), body: []byte(body), tail: ">\n"}, r, from, 300)
	}
	if err := put("{\r\n\"a\":\n1}", new(record.Record)); err != nil {
		t.Error(err)
	}
	r := withFile("a\nb")
	if err := put(string(r.Body), r); err != nil {
		t.Error(err)
	}
	r = withFile("longer than it was")
	withFile("shorter")
	var failed *record.Error
	if err := put(string(r.Body), r); !errors.As(err, &failed) || failed.Code != "attachment_changed" {
		t.Errorf("of a file that changed: %v", err)
	}
	r = withFile(strings.Repeat("\"", 200)) // which JSON escapes
	if err := put(string(r.Body), r); err == nil {
		t.Error("what has no room was put there")
	}
	if err := put("{}", new(record.Record)); err != nil {
		t.Error(err)
	}
	if err := f.w.Flush(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(io.NewSectionReader(upload, 0, 1<<20))
	want := `<{"a":1}>` + "\n" + `<{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"},` +
		`{"type":"text","text":"a\nb"}]}]}>` + "\n<{}>\n"
	if err != nil || string(got) != want || f.bytes != int64(len(want)) || f.requests != 3 {
		t.Errorf("%d requests in %d bytes, %v:\n%s\nwant\n%s", f.requests, f.bytes, err, got, want)
	}
}
