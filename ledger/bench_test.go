package ledger

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// kilobyteResult returns a result whose line is of about 1 KB.
func kilobyteResult(n int) Result {
	r := testResult(n)
	content := bytes.Repeat([]byte("lorem ipsum "), 35)
	r.Response = fmt.Appendf(nil, `{"id":"chatcmpl-%d","object":"chat.completion","model":"gpt-4o-mini-2024-07-18",`+
		`"choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],`+
		`"usage":{"prompt_tokens":12,"completion_tokens":20,"total_tokens":32}}`, n, content)
	return r
}

// benchLedger writes a ledger of 1 KB results and returns its path and size.
func benchLedger(b *testing.B, records int) (string, int64) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "ledger.jsonl")
	l := mustOpen(b, path, Options{Fsync: FsyncNever})
	var group Group
	for n := range records {
		group.Results = append(group.Results, kilobyteResult(n))
		if len(group.Results) == 64 || n == records-1 {
			mustCommit(b, l, &group)
			group.Reset()
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return path, info.Size()
}

func BenchmarkOpen(b *testing.B) {
	const records = 1_000_000
	path, size := benchLedger(b, records)
	b.SetBytes(size)
	b.ReportMetric(float64(size)/records, "B/line")
	b.ResetTimer()
	for b.Loop() {
		l, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if n := l.Summary().Results; n != records {
			b.Fatalf("%d results", n)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommit commits 64 results of 1 KB at a time, as a run does that has 64 requests in
// flight.
func BenchmarkCommit(b *testing.B) {
	for _, fsync := range []Fsync{FsyncAlways, FsyncEverySecond, FsyncNever} {
		b.Run("fsync="+fsync.String(), func(b *testing.B) {
			l := mustOpen(b, filepath.Join(b.TempDir(), "ledger.jsonl"), Options{Fsync: fsync})
			var group Group
			for n := range 64 {
				group.Results = append(group.Results, kilobyteResult(n))
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := l.Commit(&group); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(l.out)))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/result")
		})
	}
}

// BenchmarkRead looks results up and reads them back one after another, as a replay does.
func BenchmarkRead(b *testing.B) {
	const records = 100_000
	path, size := benchLedger(b, records)
	l := mustOpen(b, path, Options{})
	keys := make([]Key, records)
	for n := range keys {
		r := testResult(n)
		keys[n] = keyOf(&r)
	}
	var r Result
	reader := l.NewReader()
	b.SetBytes(size / records)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if err := reader.Read(l.Admit(keys[n%records]).Result, &r); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkScan(b *testing.B) {
	const records = 100_000
	path, size := benchLedger(b, records)
	b.SetBytes(size)
	for b.Loop() {
		n := 0
		err := Scan(path, nil, func(e Entry) error {
			if e.Result != nil {
				n++
			}
			return nil
		})
		if err != nil || n != records {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkIntent is of a shard of 50,000 records: to write its intent down, to open the ledger
// that has it, to read it back.
func BenchmarkIntent(b *testing.B) {
	const records = 50_000
	intent := intentOf("a", 1, 0, records)
	path := filepath.Join(b.TempDir(), "ledger.jsonl")
	mustStep(b, mustOpen(b, path, Options{}), intent)
	b.Run("commit", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l := mustOpen(b, filepath.Join(b.TempDir(), "ledger.jsonl"), Options{Fsync: FsyncNever, Simulated: true})
			mustStep(b, l, intent)
		}
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(fileSize(b, path))
		for b.Loop() {
			l, err := Open(path, Options{})
			if err != nil || l.Shards()[0].Records != records {
				b.Fatal(err)
			}
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		l := mustOpen(b, path, Options{})
		for b.Loop() {
			n := 0
			if err := l.ReadShard("a", func(ShardRecord) error { n++; return nil }); err != nil || n != records {
				b.Fatal(n, err)
			}
		}
	})
}
