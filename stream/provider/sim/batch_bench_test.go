package sim

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// A full batch, from its making to its end.
func BenchmarkSimBatch(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	filler := strings.Repeat("The quick brown fox. ", 50)
	body := `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"` + filler + `"}]}`
	file, err := s.files.create()
	if err != nil {
		b.Fatal(err)
	}
	for i := range batchRequests {
		if _, err := file.WriteString(inputLine(fmt.Sprint("r", i), "/v1/chat/completions", body)); err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.Stat(file.Name())
	if err != nil || file.Close() != nil {
		b.Fatal(err)
	}
	s.files.keep(&storedFile{id: "file-in", name: "in.jsonl", purpose: "batch", bytes: info.Size(), path: file.Name()})
	b.ReportAllocs()
	b.SetBytes(info.Size())
	for b.Loop() {
		post(s, "/v1/batches", `{"input_file_id":"file-in","endpoint":"/v1/chat/completions","completion_window":"24h"}`)
		s.batches.running.Wait()
		made := s.batches.all[len(s.batches.all)-1]
		if made.state.RequestCounts.Completed != batchRequests {
			b.Fatalf("ended as %+v", made.state)
		}
		s.files.remove(*made.state.OutputFileID)
	}
	b.ReportMetric(float64(b.Elapsed()/time.Duration(b.N))/batchRequests, "ns/request")
}
