package stream

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"llmpipe/ledger"
	"llmpipe/limiter"
	"llmpipe/stream/journal"
	"llmpipe/stream/output"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// appendPrompt appends a line of about 100 bytes.
func appendPrompt(dst []byte, id string) []byte {
	return fmt.Appendf(dst, `{"id":%q,"prompt":"record %s of many, all of about the same length","max_tokens":20}`+"\n", id, id)
}

// recordPrompts writes a ledger with a result for each record of input, as a run over it does.
func recordPrompts(b *testing.B, path string, input io.Reader) {
	b.Helper()
	l, err := ledger.Open(path, ledger.Options{Fsync: ledger.FsyncNever})
	if err != nil {
		b.Fatal(err)
	}
	decoder, err := record.NewDecoder(record.Options{Model: "m"})
	if err != nil {
		b.Fatal(err)
	}
	answer := []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1750000000,"model":"m","choices":[{"index":0,` +
		`"message":{"role":"assistant","content":"an answer of a few words, as most of them are","refusal":null},"logprobs":null,` +
		`"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30}}`)
	var group ledger.Group
	commit := func() {
		if err := l.Commit(&group); err != nil {
			b.Fatal(err)
		}
		group.Reset()
	}
	for lines := bufio.NewScanner(input); lines.Scan(); {
		var rec record.Record
		if err := decoder.Decode(&rec, bytes.Clone(lines.Bytes())); err != nil {
			b.Fatal(err)
		}
		group.Results = append(group.Results, ledger.Result{
			Record: ledger.Record{
				ID: rec.ID, Request: rec.Request, Endpoint: rec.Endpoint.String(), Model: rec.Model, Provider: "somewhere",
				PromptTokens: 20, CompletionTokens: 10, Attempts: 1, LatencyMS: 800, Time: time.Now(),
			},
			Response: answer,
		})
		if len(group.Results) == output.GroupRecords {
			commit()
		}
	}
	commit()
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil { // a run leaves nothing unsynced, and the next need not make up for it
		b.Fatal(err)
	}
}

// BenchmarkResume is the time from the start of a run over a million recorded results to its first
// request: of a record that comes before them, and of one that comes after them, when all of them
// have been read and written again.
func BenchmarkResume(b *testing.B) {
	const records = 1_000_000
	arrived := make(chan time.Time, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- time.Now()
		fmt.Fprint(w, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	dir := b.TempDir()
	// From a file, as from a user: what is in the heap lets garbage grow to as much again, in memory
	// that is new to the process.
	recorded, err := os.Create(filepath.Join(dir, "recorded.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	defer recorded.Close()
	w := bufio.NewWriter(recorded)
	for i := range records {
		_, _ = w.Write(appendPrompt(w.AvailableBuffer(), fmt.Sprint(i)))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	again := func() io.Reader { return io.NewSectionReader(recorded, 0, 1<<62) }
	path := filepath.Join(dir, "ledger.jsonl")
	recordPrompts(b, path, again())
	first := func(input io.Reader) float64 {
		start := time.Now()
		outcome, err := Run(b.Context(), Config{
			Stdin: input, Stdout: io.Discard, Stderr: io.Discard, MaxLine: 64 << 20,
			Decode:   record.Options{Model: "m"},
			Provider: provider.Config{BaseURL: server.URL},
			Pace:     limiter.Config{Concurrency: 64},
			Ledger:   journal.Config{Path: path},
		})
		if err != nil || outcome.ExitCode() != ExitOK {
			b.Fatal(outcome, err)
		}
		return (<-arrived).Sub(start).Seconds()
	}
	runs := 0
	for b.Loop() {
		runs++
		fresh := appendPrompt(nil, fmt.Sprint("first ", runs))
		b.ReportMetric(first(io.MultiReader(bytes.NewReader(fresh), again())), "s-new-one-first")
		fresh = appendPrompt(nil, fmt.Sprint("last ", runs))
		b.ReportMetric(first(io.MultiReader(again(), bytes.NewReader(fresh))), "s-new-one-last")
	}
}
