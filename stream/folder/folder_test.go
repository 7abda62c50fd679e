package folder

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"llmpipe/stream/record"
)

const (
	gif = "GIF89a\x1e\x00\x14\x00 and what follows"
	pdf = "%PDF-1.7 and what follows"
)

// folderOf makes a folder with files, of at most so many bytes each.
func folderOf(t *testing.T, most int64, files map[string]string) (*Folder, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	f, err := Open(dir, most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// recordOf is a record that names files.
func recordOf(t *testing.T, e record.Endpoint, paths ...string) *record.Record {
	t.Helper()
	d, err := record.NewDecoder(record.Options{Endpoint: e, Model: "gpt-4o", Attach: []string{"f"}})
	if err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(map[string]any{"prompt": "hi", "f": paths})
	if err != nil {
		t.Fatal(err)
	}
	r := new(record.Record)
	if err := d.Decode(r, line); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestFill has files of every kind in a request, under the record's own model and another.
func TestFill(t *testing.T) {
	long := "GIF89a\x1e\x00\x14\x00" + strings.Repeat("0123456789", 3*chunkBytes/10)
	f, dir := folderOf(t, 1<<20, map[string]string{
		"a.gif": gif, "sub/b.pdf": pdf, "c.txt": "\"Grüße\"\n\x01", "long.gif": long, "d.mp3": "ID3 and so on",
	})
	in64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct {
		endpoint record.Endpoint
		path     string
		want     string
	}{
		{record.Chat, "a.gif", `{"type":"image_url","image_url":{"url":"data:image/gif;base64,` + in64(gif) + `"}}`},
		{record.Chat, "long.gif", `{"type":"image_url","image_url":{"url":"data:image/gif;base64,` + in64(long) + `"}}`},
		{record.Chat, filepath.Join(dir, "a.gif"), `{"type":"image_url","image_url":{"url":"data:image/gif;base64,` + in64(gif) + `"}}`},
		{record.Chat, "sub/../a.gif", `{"type":"image_url","image_url":{"url":"data:image/gif;base64,` + in64(gif) + `"}}`},
		{record.Chat, "sub/b.pdf", `{"type":"file","file":{"filename":"b.pdf","file_data":"data:application/pdf;base64,` + in64(pdf) + `"}}`},
		{record.Chat, "c.txt", `{"type":"text","text":"\"Grüße\"\n\u0001"}`},
		{record.Chat, "d.mp3", `{"type":"input_audio","input_audio":{"format":"mp3","data":"` + in64("ID3 and so on") + `"}}`},
		{record.Responses, "a.gif", `{"type":"input_image","image_url":"data:image/gif;base64,` + in64(gif) + `"}`},
		{record.Responses, "sub/b.pdf", `{"type":"input_file","filename":"b.pdf","file_data":"data:application/pdf;base64,` +
			in64(pdf) + `"}`},
		{record.Responses, "c.txt", `{"type":"input_text","text":"\"Grüße\"\n\u0001"}`},
		{record.Messages, "a.gif", `{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"` + in64(gif) + `"}}`},
		{record.Messages, "sub/b.pdf", `{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"` +
			in64(pdf) + `"}}`},
	} {
		r := recordOf(t, c.endpoint, c.path, "a.gif")
		before := r.TextBytes
		if err := f.Look(r); err != nil {
			t.Errorf("%s, %s: %v", c.endpoint, c.path, err)
			continue
		}
		if r.TextBytes <= before || len(r.Media) != 2 {
			t.Errorf("%s: %d bytes of text, and %d before; parts %+v", c.path, r.TextBytes, before, r.Media)
		}
		for _, body := range [][]byte{r.Body, r.WithModel(nil, "a model with a longer name")} {
			got, err := f.Fill(nil, r, body)
			if err != nil || !json.Valid(got) || !bytes.Contains(got, []byte(c.want)) || bytes.Contains(got, []byte(`"attachment"`)) {
				t.Errorf("%s, %s: %v\n%.300s\nwant in it\n%.300s", c.endpoint, c.path, err, got, c.want)
			}
			if size := Size(r, body); int64(len(got)) > size {
				t.Errorf("%s: %d bytes, and %d were reckoned", c.path, len(got), size)
			}
			shown, err := f.Show(nil, r, body)
			if err != nil || !json.Valid(shown) || len(shown) > len(body)+600 || !bytes.Contains(shown, []byte("sha256")) {
				t.Errorf("%s: %v\n%.300s", c.path, err, shown)
			}
		}
		if data, err := os.ReadFile(filepath.Join(dir, "a.gif")); err != nil || r.Files[1].Sum != sha256.Sum256(data) {
			t.Errorf("%s: the hash is wrong (%v)", c.path, err)
		}
	}
}

// TestWrongFiles has what cannot be attached.
func TestWrongFiles(t *testing.T) {
	f, dir := folderOf(t, 1000, map[string]string{
		"a.gif": gif, "big.gif": gif + strings.Repeat("x", 1000), "program": "\x7fELF\x00", "d.mp3": "ID3 and so on", "sub/x.gif": gif,
		"empty": "",
	})
	write(t, filepath.Join(dir+"-beside", "b.gif"), gif)
	t.Cleanup(func() { os.RemoveAll(dir + "-beside") })
	for name, to := range map[string]string{
		"out.gif": "../" + filepath.Base(dir) + "-beside/b.gif", "outdir": dir + "-beside", "loop": "loop", "gone": "nothing",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	for _, c := range []struct {
		endpoint   record.Endpoint
		path, code string
	}{
		{record.Chat, "nothing", "attachment_missing"},
		{record.Chat, "gone", "attachment_missing"},
		{record.Chat, "sub", "attachment_not_regular"},
		{record.Chat, ".", "attachment_not_regular"},
		{record.Chat, "..", "attachment_outside"},
		{record.Chat, "../" + filepath.Base(dir) + "-beside/b.gif", "attachment_outside"},
		{record.Chat, "sub/../../a.gif", "attachment_outside"},
		{record.Chat, "out.gif", "attachment_outside"},
		{record.Chat, "outdir/b.gif", "attachment_outside"},
		{record.Chat, dir + "-beside/b.gif", "attachment_outside"},
		{record.Chat, filepath.Dir(dir), "attachment_outside"},
		{record.Chat, "loop", "attachment_unreadable"},
		{record.Chat, "a.gif\x00", "attachment_unreadable"},
		{record.Chat, "a.gif/", "attachment_unreadable"},
		{record.Chat, "big.gif", "attachment_too_large"},
		{record.Chat, "program", "attachment_not_taken"},
		{record.Chat, "empty", "attachment_not_taken"},
		{record.Responses, "d.mp3", "attachment_not_taken"},
		{record.Messages, "d.mp3", "attachment_not_taken"},
	} {
		err := f.Look(recordOf(t, c.endpoint, "a.gif", c.path))
		if err == nil || err.Type != record.TypeInvalidInput || err.Code != c.code || !strings.Contains(err.Message, "the file") {
			t.Errorf("%q: %v, want %s", c.path, err, c.code)
		}
	}
}

// TestChangedFile has files that are not what they were: between the look and the reading, and
// while they are read.
func TestChangedFile(t *testing.T) {
	name := "a.gif"
	for what, change := range map[string]func(path string) error{
		"longer":  func(path string) error { return os.WriteFile(path, []byte(gif+gif), 0o600) },
		"shorter": func(path string) error { return os.Truncate(path, 12) },
		"touched": func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)) },
		"gone":    os.Remove,
	} {
		want := "attachment_changed"
		if what == "gone" {
			want = "attachment_missing"
		}
		f, dir := folderOf(t, 1000, map[string]string{name: gif})
		r := recordOf(t, record.Chat, name)
		if err := f.Look(r); err != nil {
			t.Fatal(err)
		}
		if err := change(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Fill(nil, r, r.Body); err == nil || err.Code != want {
			t.Errorf("%s before it is read: %v", what, err)
		}
		if what == "gone" {
			continue // what is open stays
		}
		f, dir = folderOf(t, 1<<20, map[string]string{name: gif + strings.Repeat("x", 3*chunkBytes)})
		r = recordOf(t, record.Chat, name)
		if err := f.Look(r); err != nil {
			t.Fatal(err)
		}
		changed := false
		err := f.read(&r.Files[0], func([]byte) error {
			if !changed {
				changed = true
				if err := change(filepath.Join(dir, name)); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
		if err == nil || failure(&r.Files[0], err).Code != want {
			t.Errorf("%s while it is read: %v", what, err)
		}
	}
	f, dir := folderOf(t, 1<<20, map[string]string{"t.txt": strings.Repeat("x", 2*chunkBytes) + "\xff"})
	r := recordOf(t, record.Chat, "t.txt")
	if err := f.Look(r); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Fill(nil, r, r.Body); err == nil || err.Code != "attachment_not_taken" {
		t.Errorf("a text in %s that is none further on: %v", dir, err)
	}
}

// TestSame has when a file counts as what it was.
func TestSame(t *testing.T) {
	f, dir := folderOf(t, 1000, map[string]string{"a": gif})
	path := filepath.Join(dir, "a")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(gif))
	same := func() bool { return f.Same("a", info.Size(), info.ModTime(), sum) }
	if !same() {
		t.Error("untouched, it is another")
	}
	write(t, path, strings.ToUpper(gif))
	if same() {
		t.Error("written over, it is the same")
	}
	if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if !same() {
		t.Error("it was read, although its size and time are the same")
	}
	write(t, path, gif)
	if err := os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	if !same() {
		t.Error("touched, it is another")
	}
	write(t, path, gif+"x")
	if same() {
		t.Error("longer, it is the same")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !same() {
		t.Error("a file that is gone says that its answer is wrong")
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if same() {
		t.Error("a directory is the same as a file")
	}
}
