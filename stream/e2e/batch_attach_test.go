package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// takingFiles is a simulator behind which the files that batches were sent are known by their
// hashes.
func takingFiles(t *testing.T, sim *simServer, got *hashes) (url string) {
	t.Helper()
	forward := forwardTo(t, sim)
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			got.takeAll(t, body)
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		forward.ServeHTTP(w, r)
	})
}

// takeAll counts every file in what a provider was sent.
func (h *hashes) takeAll(t *testing.T, body []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range dataIn.FindAllSubmatch(body, -1) {
		data, err := base64.StdEncoding.DecodeString(string(bytes.Join(m[1:], nil)))
		if err != nil {
			t.Error(err)
		}
		h.seen[fmt.Sprintf("%x", sha256.Sum256(data))]++
	}
}

// attachedIn are the hashes of the files that a ledger has with its answers, by their names.
func attachedIn(t *testing.T, dir, ledger string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for _, line := range splitLines(readFile(t, dir, ledger)) {
		var result struct {
			Kind        string
			Attachments []struct{ Path, SHA256 string }
		}
		if err := json.Unmarshal([]byte(line), &result); err != nil {
			t.Fatal(err)
		}
		for _, a := range result.Attachments {
			if result.Kind == "result" {
				sums[a.Path] = a.SHA256
			}
		}
	}
	return sums
}

func sumOf(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// TestBatchAttachedFilesArrive has files in batches of each endpoint that takes them, and among
// them some that cannot be sent, which are their records' errors alone.
func TestBatchAttachedFilesArrive(t *testing.T) {
	t.Parallel()
	const n, size = 30, 100_000
	for _, endpoint := range []string{"chat", "responses", "messages"} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			records := writePhotos(t, dir, n, size)
			records += `{"id":"gone","image":"photos/nothing.gif"}` + "\n" + `{"id":"out","image":"../x.gif"}` + "\n" +
				`{"id":"two","image":["photos/0.gif","t.txt"]}` + "\n"
			writeFile(t, dir, "t.txt", "some \"text\"\n")
			got := hashes{seen: map[string]int{}}
			url := takingFiles(t, startSim(t, "latency=0s&batch-latency=10ms"), &got)
			p := llmpipe(t, dir, "--base-url", url, "-m", "claude-sonnet-4-5", "--endpoint", endpoint, "--mode", "batch",
				"-p", "Describe it.", "--attach", "image", "-l", "job.jsonl")
			p.Stdin = strings.NewReader(records)
			p.exits(t, 3)
			if out := p.out.String(); strings.Count(out, `"content":`) != n+1 || strings.Count(out, `"error":`) != 2 {
				t.Errorf("out:\n%s\n%s", out, &p.err)
			}
			p.says(t, "--attach: 32 files with 3,100,012 bytes for 31 records: uploading ", " in 1 batch takes up to ")
			sums := attachedIn(t, dir, "job.jsonl")
			for i := range n {
				sum, want := sumOf(gifOf(i, size)), 1
				if i == 0 {
					want = 2
				}
				if got.seen[sum] != want || sums[fmt.Sprintf("photos/%d.gif", i)] != sum {
					t.Errorf("photo %d arrived %d times, and is recorded as %s", i, got.seen[sum], sums[fmt.Sprintf("photos/%d.gif", i)])
				}
			}
			if sums["t.txt"] != sumOf("some \"text\"\n") {
				t.Errorf("the text is recorded as %s", sums["t.txt"])
			}
			again := llmpipe(t, dir, append(p.Args[1:], "--mode", "batch")...)
			again.Stdin = strings.NewReader(records)
			again.exits(t, 3)
			if len(got.seen) != n {
				t.Errorf("%d files arrived", len(got.seen))
			}
		})
	}
}

// TestBatchAttachedFilesThatChange has files that are other ones when the batch is collected: its
// answers are recorded as those about what was sent, and only what has changed is asked about anew.
func TestBatchAttachedFilesThatChange(t *testing.T) {
	t.Parallel()
	const n, size = 5, 1000
	for _, endpoint := range []string{"chat", "messages"} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			records := writePhotos(t, dir, n, size)
			sim := startSim(t, "latency=0s&batch-latency=300ms")
			got := hashes{seen: map[string]int{}}
			url := takingFiles(t, sim, &got)
			run := func(more ...string) *process {
				args := []string{"--base-url", url, "-m", "claude-sonnet-4-5", "--endpoint", endpoint, "--mode", "batch", "-p", "Describe it.",
					"--attach", "image", "-l", "job.jsonl"}
				p := llmpipe(t, dir, append(args, more...)...)
				p.Stdin = strings.NewReader(records)
				return p
			}
			run("--detach").exits(t, 75)
			photo := func(n int) string { return filepath.Join(dir, "photos", fmt.Sprint(n, ".gif")) }
			writeFile(t, dir, "photos/0.gif", gifOf(10, size))
			writeFile(t, dir, "photos/1.gif", gifOf(11, size+1))
			if err := os.Chtimes(photo(2), time.Time{}, time.Unix(1e9, 0)); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(photo(3)); err != nil {
				t.Fatal(err)
			}
			p := run()
			p.exits(t, 0)
			if len(p.lines()) != n {
				t.Errorf("%d lines:\n%s", len(p.lines()), &p.out)
			}
			p.says(t, "files of 2 records have changed since it was submitted")
			if answers := sim.batches(t).Answered; answers != n+2 {
				t.Errorf("%d requests were answered", answers)
			}
			sums := attachedIn(t, dir, "job.jsonl")
			for i, want := range []string{gifOf(10, size), gifOf(11, size+1), gifOf(2, size), gifOf(3, size), gifOf(4, size)} {
				if sums[fmt.Sprintf("photos/%d.gif", i)] != sumOf(want) {
					t.Errorf("photo %d is recorded as another", i)
				}
			}
			again := run()
			again.exits(t, 0)
			if len(again.lines()) != n || sim.batches(t).Answered != n+2 {
				t.Errorf("again %d lines, and %d requests were answered: %s", len(again.lines()), sim.batches(t).Answered, &again.err)
			}
			// What was asked about, and has changed again, is asked about again, and once.
			writeFile(t, dir, "photos/0.gif", gifOf(20, size))
			run("--detach").exits(t, 75)
			run("--detach").exit(t)
			last := run()
			last.exits(t, 0)
			if len(last.lines()) != n || sim.batches(t).Answered != n+3 {
				t.Errorf("at last %d lines, and %d requests were answered: %s", len(last.lines()), sim.batches(t).Answered, &last.err)
			}
		})
	}
}
