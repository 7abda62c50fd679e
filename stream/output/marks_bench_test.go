package output

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkMark is what the mark of a group of lines costs beside their write: a look for the
// place, a checksum, and their keys.
func BenchmarkMark(b *testing.B) {
	file, err := os.Create(filepath.Join(b.TempDir(), "out"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	e := &stdout{out: file, marking: true, buf: bytes.Repeat([]byte("x"), GroupRecords*1024)}
	for i := range GroupRecords {
		e.lines = append(e.lines, bufferedLine{end: (i + 1) * 1024, mark: true})
	}
	b.ReportAllocs()
	for b.Loop() {
		e.mark(e.position(), len(e.buf))
		e.takeResults()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/GroupRecords, "ns/record")
}
