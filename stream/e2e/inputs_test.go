package e2e

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	return compressed(t, &b, gzip.NewWriter(&b), text)
}

func zstandard(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	return compressed(t, &b, z, text)
}

func compressed(t *testing.T, b *bytes.Buffer, z io.WriteCloser, text string) string {
	t.Helper()
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestInputStreams has six records in every form that a stream may have.
func TestInputStreams(t *testing.T) {
	t.Parallel()
	plain := numbered(1, 6)
	for name, stream := range map[string]string{
		"plain":                         plain,
		"no newline at the end":         strings.TrimSuffix(plain, "\n"),
		"CRLF":                          strings.ReplaceAll(plain, "\n", "\r\n"),
		"byte order mark":               "\xef\xbb\xbf" + plain,
		"blank lines":                   "\n \t\n" + strings.ReplaceAll(plain, "\n", "\n\r\n\n"),
		"gzip":                          gzipped(t, plain),
		"gzip, two members":             gzipped(t, numbered(1, 2)) + gzipped(t, numbered(3, 6)),
		"gzip, a member ends in a line": gzipped(t, plain[:30]) + gzipped(t, plain[30:]),
		"gzip of a byte order mark":     gzipped(t, "\xef\xbb\xbf"+plain),
		"zstd":                          zstandard(t, plain),
		"zstd, two frames":              zstandard(t, numbered(1, 2)) + zstandard(t, numbered(3, 6)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider := newRecorder(t)
			p := llmpipe(t, t.TempDir(), "--base-url", provider.URL, "-m", "m", "--ordered", "--no-ledger")
			p.Stdin = strings.NewReader(stream)
			p.exits(t, 0)
			results := p.results(t)
			if len(results) != 6 {
				t.Fatalf("%d lines out", len(results))
			}
			for i, r := range results {
				want := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"prompt number %d"}]}`, i+1)
				if asked := provider.answerTo(t, r); asked.body != want {
					t.Errorf("id %s asked %s", r.ID, asked.body)
				}
			}
		})
	}
}

// TestTruncatedInput cuts a compressed stream: what was read before is answered, and the run fails.
func TestTruncatedInput(t *testing.T) {
	t.Parallel()
	// Records that do not compress make the position of the cut meaningful.
	text := repeat(1, 500, func(i int) string { return fmt.Sprintf(`{"id":%d,"prompt":"%x"}`, i, i*2654435761*40503) })
	for name, whole := range map[string]string{
		"gzip": gzipped(t, text),
		"zstd": zstandard(t, numbered(1, 250)) + zstandard(t, text),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFile(t, dir, "cut."+name, whole[:len(whole)*3/4])
			provider := newRecorder(t)
			p := llmpipe(t, dir, "--base-url", provider.URL, "-m", "m", "--summary", "summary.json", "cut."+name)
			code, results := p.exit(t), p.results(t)
			if code != 1 || len(results) < 200 || len(results) != len(provider.requests()) {
				t.Errorf("exit %d, %d answers to %d requests", code, len(results), len(provider.requests()))
			}
			said := fmt.Sprintf("llmpipe: error: reading cut.%s: after line %d: the compressed stream is cut short", name, len(results))
			if !strings.Contains(p.err.String(), said) {
				t.Errorf("said %s, want %s", p.err.String(), said)
			}
			for _, r := range results {
				if r.Error != nil {
					t.Errorf("id %s: %s", r.ID, r.Error.Message)
				}
			}
		})
	}
}

// TestLongLines has a line of 20 MB, which is answered, and one over --max-line, which is not.
func TestLongLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("20 MB of x ", 20_000_000/11)
	tooLong := `{"id":"too long","prompt":"` + strings.Repeat("y", 22_000_000) + `"}`
	dir := t.TempDir()
	provider := newRecorder(t)
	p := llmpipe(t, dir, "--base-url", provider.URL, "-m", "m", "--ordered", "--max-line", "21MB", "--failed", "failed.jsonl")
	p.Stdin = io.MultiReader(
		strings.NewReader(numbered(1, 1)), strings.NewReader(`{"id":"long","prompt":"`), strings.NewReader(long), strings.NewReader("\"}\n"),
		strings.NewReader(tooLong+"\n"), strings.NewReader(numbered(2, 2)))
	p.exits(t, 3)
	results := p.results(t)
	if len(results) != 4 || len(provider.requests()) != 3 {
		t.Fatalf("%d lines out, %d requests", len(results), len(provider.requests()))
	}
	if asked := provider.answerTo(t, results[1]); asked.body != `{"model":"m","messages":[{"role":"user","content":"`+long+`"}]}` {
		t.Errorf("the long line arrived as %d bytes, %.60s", len(asked.body), asked.body)
	}
	if e := results[2].Error; e == nil || e.Code != "line_too_long" || results[2].Line != 3 ||
		!strings.Contains(e.Message, "22000029 bytes") || !strings.Contains(e.Message, "21000000") {
		t.Errorf("the line over the maximum: %+v", results[2])
	}
	if failed := readFile(t, dir, "failed.jsonl"); failed != tooLong+"\n" {
		t.Errorf("--failed has %d bytes", len(failed))
	}
}
