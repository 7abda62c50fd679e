package stream

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"llmpipe/ledger"
	"llmpipe/ledger/disk"
	"llmpipe/stream/journal"
)

// fullDisk is a disk with so much space, of which a file may keep some in hand, as long as it is
// open.
type fullDisk struct {
	disk.OS
	mu    sync.Mutex
	space int64
}

func (d *fullDisk) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := d.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &fullFile{f, d}, nil
}

type fullFile struct {
	disk.File
	disk *fullDisk
}

// WriteAt writes as much as there is space for.
func (f *fullFile) WriteAt(p []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if fits := max(0, f.disk.space-at); int64(len(p)) > fits {
		n, err := f.File.WriteAt(p[:fits], at)
		if err == nil {
			err = syscall.ENOSPC
		}
		return n, err
	}
	return f.File.WriteAt(p, at)
}

func (f *fullFile) Reserve(end, size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if end+size > f.disk.space {
		return syscall.ENOSPC
	}
	return nil
}

// A supervisor starts a run again and again on a disk that is nearly full. Whatever was billed the
// ledger knows: of answers as they were before, of such as are much larger than any before, and of
// those that have no space at all. So the budget holds, and once there is no space nothing is
// asked.
func TestNearlyFullDisk(t *testing.T) {
	const runs, atOnce, cost = 20, 16, 7_500 // billionths of a dollar: ten tokens at $0.15 and ten at $0.60 a million
	for name, size := range map[string]func(n int64) int{
		"small":            func(int64) int { return 200 },
		"large":            func(int64) int { return 5_000 },
		"larger than room": func(int64) int { return 40_000 },
		"growing":          func(n int64) int { return int(n) * 300 },
	} {
		var asked atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = fmt.Fprintf(w, `{"choices":[{"message":{"content":"%s"},"finish_reason":"stop"}],`+
				`"usage":{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20}}`, strings.Repeat("x", size(asked.Add(1))))
		}))
		path := filepath.Join(t.TempDir(), "ledger.jsonl")
		d := &fullDisk{space: 16 << 10}
		var last int64
		for n := range runs {
			r := try(t, server.URL, prompts(500), func(c *Config) {
				c.Pace.Concurrency = atOnce
				c.Ledger = journal.Config{Path: path, FS: d}
				c.Decode.Model = "gpt-4o-mini"
			})
			if r.ExitCode() != ExitFailed {
				t.Fatalf("%s: run %d: exit %d: %v, %s", name, n, r.ExitCode(), r.Err, &r.said)
			}
			if n == runs-1 && asked.Load() != last {
				t.Errorf("%s: the last run asked %d, though the disk is full", name, asked.Load()-last)
			}
			last = asked.Load()
		}
		server.Close()
		l, err := ledger.Open(path, ledger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := l.Summary()
		t.Logf("%s: %d asked, %d recorded, %d spent", name, asked.Load(), s.Results, s.SpentNanos)
		if want := asked.Load() * cost; s.SpentNanos != want {
			t.Errorf("%s: %d billed, %d answers recorded, %d in the ledger, want %d", name, asked.Load(), s.Results, s.SpentNanos, want)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
