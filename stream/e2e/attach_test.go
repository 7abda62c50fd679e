package e2e

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// dataIn finds the base64 of a body.
var dataIn = regexp.MustCompile(`;base64,([^"]*)"|"type":"base64","media_type":"[^"]*","data":"([^"]*)"`)

// hashes are those of the files that a provider was sent, by how often it was.
type hashes struct {
	mu   sync.Mutex
	seen map[string]int
}

func (h *hashes) take(t *testing.T, body string) {
	data, err := base64.StdEncoding.DecodeString(dataIn.FindStringSubmatch(body)[1])
	if err != nil {
		t.Error(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen[fmt.Sprintf("%x", sha256.Sum256(data))]++
}

// gifOf is a file that passes for a picture.
func gifOf(n, size int) string {
	head := fmt.Sprintf("GIF89a\x1e\x00\x14\x00%d ", n)
	return head + strings.Repeat("x", size-len(head))
}

// writePhotos makes a folder of so many pictures, and the records that name them.
func writePhotos(t *testing.T, dir string, n, size int) (records string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "photos"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		writeFile(t, dir, fmt.Sprintf("photos/%d.gif", i), gifOf(i, size))
	}
	return repeat(0, n-1, func(i int) string { return fmt.Sprintf(`{"id":"photos/%d.gif","image":"photos/%[1]d.gif"}`, i) })
}

// TestAttachedFilesArrive has many pictures at once, some of them refused at first, and asks the
// provider which it got.
func TestAttachedFilesArrive(t *testing.T) {
	t.Parallel()
	const n, size = 40, 300_000
	dir := t.TempDir()
	records := writePhotos(t, dir, n, size)
	got := hashes{seen: map[string]int{}}
	var asked atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		if _, err := io.Copy(&body, r.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
		if asked.Add(1)%5 == 1 { // a retry reads the file again
			w.Header().Set("Retry-After-Ms", "1")
			answerError(w, http.StatusServiceUnavailable, "overloaded")
			return
		}
		got.take(t, body.String())
		answerChat(w)
	})
	p := llmpipe(t, dir, "--base-url", url, "-m", "gpt-4o", "-c", "8", "-p", "Describe it.", "--attach", "image")
	p.Stdin = strings.NewReader(records)
	p.exits(t, 0)
	if lines := p.lines(); len(lines) != n {
		t.Errorf("%d lines out", len(lines))
	}
	for i := range n {
		if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(gifOf(i, size)))); got.seen[sum] != 1 {
			t.Errorf("photo %d arrived %d times", i, got.seen[sum])
		}
	}
}

// TestAttachedFilesResume has what a later run asks about: nothing while size and time are the
// same, whatever a file holds; nothing where it was touched alone; and what holds something else.
func TestAttachedFilesResume(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	records := writePhotos(t, dir, 4, 1000)
	provider := newRecorder(t)
	run := func(want int) string {
		t.Helper()
		before := len(provider.requests())
		p := llmpipe(t, dir, "--base-url", provider.URL, "-m", "gpt-4o", "-p", "Describe it.", "--attach", "image", "--ordered")
		p.Stdin = strings.NewReader(records)
		p.exits(t, 0)
		if asked := len(provider.requests()) - before; asked != want || len(p.lines()) != 4 {
			t.Errorf("%d requests, %d lines; want %d, 4", asked, len(p.lines()), want)
		}
		return p.out.String()
	}
	first := run(4)
	if ledger := readFile(t, dir, "llmpipe.ledger.jsonl"); strings.Count(ledger, `"attachments":[{"path":"photos/`) != 4 {
		t.Errorf("the ledger has no files:\n%s", ledger)
	}
	if again := run(0); again != first {
		t.Errorf("another output:\n%s\nwant\n%s", again, first)
	}
	photo := func(n int) string { return filepath.Join(dir, "photos", fmt.Sprint(n, ".gif")) }
	info, err := os.Stat(photo(0))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "photos/0.gif", gifOf(10, 1000)) // which nobody can know who opens nothing
	for name, when := range map[string]time.Time{photo(0): info.ModTime(), photo(1): time.Unix(1e9, 0)} {
		if err := os.Chtimes(name, time.Time{}, when); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(photo(2)); err != nil {
		t.Fatal(err)
	}
	if again := run(0); again != first {
		t.Errorf("another output:\n%s\nwant\n%s", again, first)
	}
	writeFile(t, dir, "photos/1.gif", gifOf(11, 1000)) // as long as before
	writeFile(t, dir, "photos/3.gif", gifOf(13, 999))
	changed := run(2)
	if again := run(0); again != changed || changed == first {
		t.Errorf("another output:\n%s\nwant\n%s", again, changed)
	}
}
