package stream

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
)

// Recorded answers are bytes held too: a reader that is slow must not fill the memory with them.
func TestGateCountsRecordedAnswers(t *testing.T) {
	recalledOnes := 0
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	for range 2 {
		try(t, "sim:?latency=0", prompts(20), func(c *Config) {
			c.Ledger = journal.Config{Path: path, Fsync: ledger.FsyncNever}
			c.Observe = func(_ *flow.Flow, done *flow.Task) {
				if done.Outcome != flow.Recalled {
					return
				}
				recalledOnes++
				if line, result := done.Held(); line != int64(len(done.Buffer)) || result != int64(len(done.Recorded.Response)) {
					t.Errorf("%s counts as %d and %d bytes, want %d and %d", done, line, result, len(done.Buffer), len(done.Recorded.Response))
				}
			}
		})
	}
	if recalledOnes != 20 {
		t.Errorf("%d were recalled", recalledOnes)
	}
}

// Large answers take what there is room for, and one answer more, however many are in flight: not
// those of them that are read, that wait for others, and that wait to be written. Nothing is held
// at the end. In input order a first one that comes late keeps the others from being written, and
// is not kept from coming.
func TestLargeAnswersAreBounded(t *testing.T) {
	const (
		records, size = 56, 2 << 20
		most          = 96<<20 + 2*size
	)
	content := strings.Repeat("word ", size/5)
	for _, ordered := range []bool{false, true} {
		var asked, over atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if asked.Add(1) == 1 && ordered {
				w.WriteHeader(http.StatusBadGateway) // it sleeps
				return
			}
			_, _ = fmt.Fprintf(w, `{"choices":[{"message":{"content":"%s"},"finish_reason":"stop"}]}`, content)
		}))
		var last *flow.Flow
		r := try(t, server.URL, prompts(records), func(c *Config) {
			c.Ledger = journal.Config{Path: filepath.Join(t.TempDir(), "ledger.jsonl")}
			c.Stdout = slowly{}
			c.Ordered, c.Pace.Concurrency, c.Provider.Connections = ordered, records, records
			c.Observe = func(f *flow.Flow, done *flow.Task) {
				last = f
				if held := f.Bodies.Held(); held > most {
					over.Store(held)
				}
			}
		})
		server.Close()
		if r.Summary.OK != records {
			t.Errorf("summary %+v", r.Summary)
		}
		if over.Load() > 0 && !ordered {
			t.Errorf("%d MiB of answers are held, want at most %d", over.Load()>>20, most>>20)
		}
		if held := last.Bodies.Held(); held != 0 {
			t.Errorf("%d bytes are held at the end", held)
		}
	}
}

// slowly is an output whose reader is slower than the provider.
type slowly struct{}

func (slowly) Write(p []byte) (int, error) {
	time.Sleep(5 * time.Millisecond)
	return len(p), nil
}
