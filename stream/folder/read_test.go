package folder

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"llmpipe/stream/record"
	"llmpipe/stream/record/rawjson"
)

// TestLongText has texts whose characters lie across the places where reading is cut.
func TestLongText(t *testing.T) {
	for shift := range 5 {
		text := strings.Repeat("x", shift) + strings.Repeat("é€𝄞\"\n", 3*chunkBytes/11)
		f, _ := folderOf(t, 1<<20, map[string]string{"t.txt": text})
		r := recordOf(t, record.Chat, "t.txt")
		if err := f.Look(r); err != nil {
			t.Fatal(err)
		}
		filled, err := f.Fill(nil, r, r.Body)
		if err != nil || !bytes.Contains(filled, rawjson.AppendQuoted(nil, text)) {
			t.Errorf("shifted by %d: %v, %d bytes", shift, err, len(filled))
		}
		var written bytes.Buffer
		if err := f.Write(&written, r, r.Body); err != nil || !bytes.Equal(written.Bytes(), filled) {
			t.Errorf("shifted by %d: %v, and %d bytes where %d are right", shift, err, written.Len(), len(filled))
		}
	}
	for name, end := range map[string]string{"half a character": "\xe2\x82", "no character": "\xff"} {
		f, _ := folderOf(t, 1<<20, map[string]string{"t.txt": strings.Repeat("x", 2*chunkBytes) + end})
		r := recordOf(t, record.Chat, "t.txt")
		if err := f.Look(r); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Fill(nil, r, r.Body); err == nil || err.Code != "attachment_not_taken" {
			t.Errorf("a text that ends in %s: %v", name, err)
		}
	}
}

// fullWriter takes so many bytes.
type fullWriter int

var errFull = errors.New("full")

func (w *fullWriter) Write(p []byte) (int, error) {
	if *w -= fullWriter(len(p)); *w < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// TestWriteFails keeps apart what is wrong with a file and with where it goes.
func TestWriteFails(t *testing.T) {
	f, dir := folderOf(t, 1<<20, map[string]string{"a.gif": gif + strings.Repeat("x", 3*chunkBytes)})
	r := recordOf(t, record.Chat, "a.gif")
	if err := f.Look(r); err != nil {
		t.Fatal(err)
	}
	for _, room := range []fullWriter{0, 10, 1000, 2 * chunkBytes} {
		if err := f.Write(&room, r, r.Body); !errors.Is(err, errFull) {
			t.Errorf("with too little room: %v", err)
		}
	}
	write(t, dir+"/a.gif", gif)
	var failed *record.Error
	if err := f.Write(new(bytes.Buffer), r, r.Body); !errors.As(err, &failed) || failed.Code != "attachment_changed" {
		t.Errorf("of a file that changed: %v", err)
	}
}
