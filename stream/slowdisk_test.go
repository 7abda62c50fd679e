package stream

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"llmpipe/ledger/disk"
	"llmpipe/stream/journal"
)

// slowDisk takes its time to sync, and counts the answers that are safe then.
type slowDisk struct {
	disk.OS
	sync          time.Duration
	written, safe atomic.Int64
}

func (d *slowDisk) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := d.OS.OpenFile(name, flag, perm)
	return &slowFile{f, d}, err
}

type slowFile struct {
	disk.File
	disk *slowDisk
}

func (f *slowFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(p, at)
	f.disk.written.Add(int64(bytes.Count(p[:n], []byte(`{"kind":"result"`))))
	return n, err
}

func (f *slowFile) SyncData() error {
	safe := f.disk.written.Load()
	time.Sleep(f.disk.sync)
	f.disk.safe.Store(safe)
	return f.File.SyncData()
}

// What has been asked and is not on disk yet is what a power cut makes one pay for again: it is at
// most twice what may be in flight, however slow the disk is.
func TestSlowDiskHoldsAskingBack(t *testing.T) {
	const records, atOnce = 160, 8
	d := &slowDisk{sync: 20 * time.Millisecond}
	var asked, most atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n := asked.Add(1)
		open := n - d.safe.Load()
		for seen := most.Load(); open > seen && !most.CompareAndSwap(seen, open); seen = most.Load() {
		}
		_, _ = fmt.Fprint(w, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	r := try(t, server.URL, prompts(records), func(c *Config) {
		c.Pace.Concurrency = atOnce
		c.Ledger = journal.Config{Path: filepath.Join(t.TempDir(), "ledger.jsonl"), FS: d}
	})
	if r.Summary.OK != records || d.safe.Load() != records {
		t.Errorf("summary %+v, %d safe", r.Summary, d.safe.Load())
	}
	if n := most.Load(); n > 2*atOnce || n <= atOnce {
		t.Errorf("up to %d were asked and not safe, want more than %d and at most %d", n, atOnce, 2*atOnce)
	}
}
