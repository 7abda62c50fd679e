//go:build unix

package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// largeWord is what large answers say over and over.
const largeWord = "word "

// answerLarge answers with so many bytes: of known length, or not, or as the events of a stream.
func answerLarge(w http.ResponseWriter, size int, how string) {
	const head, tail = `{"choices":[{"message":{"content":"`, `"},"finish_reason":"stop"}]}`
	piece := strings.Repeat(largeWord, 10_000)
	if how == "stream" {
		for ; size > 0; size -= len(piece) {
			_, _ = fmt.Fprintf(w, `data: {"choices":[{"delta":{"content":"%s"}}]}`+"\n\n", piece)
		}
		_, _ = io.WriteString(w, `data: {"choices":[{"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
		return
	}
	pieces := (size + len(piece) - 1) / len(piece)
	if how == "length" {
		w.Header().Set("Content-Length", strconv.Itoa(len(head)+pieces*len(piece)+len(tail)))
	}
	_, _ = io.WriteString(w, head)
	for range pieces {
		if _, err := io.WriteString(w, piece); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, tail)
}

// BenchmarkLargeAnswers is the peak memory with answers, and what is none, of many bytes.
func BenchmarkLargeAnswers(b *testing.B) {
	const answer, failure, endless = 5 * megabyte, 60 * megabyte, 1 << 40
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 100 {
		_, _ = z.Write(bytes.Repeat([]byte(" "), megabyte))
	}
	_ = z.Close()
	backend := newBackend(b, func(_ int64, w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		switch how := strings.Split(r.URL.Path, "/")[1]; how {
		case "failure":
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = fmt.Fprintf(w, `{"detail":"%s"}`, strings.Repeat(largeWord, failure/len(largeWord)))
		case "endless":
			answerLarge(w, endless, "")
		case "bomb":
			_, _ = w.Write(bomb.Bytes())
		default:
			answerLarge(w, answer, how)
		}
	})
	base := strings.TrimSuffix(backend.URL, "v1")
	for b.Loop() {
		for _, c := range []struct {
			name, path string
			records    int
			args       []string
		}{
			{"chunks", "chunks", 200, nil},
			{"length", "length", 200, nil},
			{"streams", "stream", 200, nil},
			{"ordered", "chunks", 200, []string{"--ordered"}},
			{"raw", "chunks", 200, []string{"-f", "raw", "--keep-input"}},
			{"failures", "failure", 19, nil},
			{"endless", "endless", 19, nil},
			{"bombs", "bomb", 19, nil},
		} {
			dir := b.TempDir()
			args := append([]string{"--base-url", base + c.path, "-c", "32", "-l", filepath.Join(dir, "l.jsonl"), "--retries", "0"}, c.args...)
			f, code := measureAny(b, dir, load{n: c.records}, args...)
			if failures := c.records < 200; code != 0 && !(failures && code == 3) {
				b.Fatalf("%s: exit %d", c.name, code)
			}
			b.ReportMetric(f.peak, "MB-"+c.name)
			if c.name == "chunks" {
				b.ReportMetric(measure(b, dir, load{n: c.records}, args...).peak, "MB-recalled")
			}
		}
	}
}
