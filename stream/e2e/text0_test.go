//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestText0 has answers of several lines, which only their NUL bytes keep apart: for xargs -0, in
// the order of the input, for whoever appends them to a file, and for what a ledger exports.
func TestText0(t *testing.T) {
	t.Parallel()
	const records = 12
	answer := func(n int64) string { return fmt.Sprintf("To %d:\n- yes\n", n) }
	b := newBackend(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"model":"m","choices":[{"message":{"content":%q},"finish_reason":"stop"}]}`, answer(n))
	})
	var want string
	for n := range int64(records) {
		want += answer(n+1) + "\x00"
	}
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		p := llmpipe(t, dir, args...)
		p.exits(t, 0)
		return p.out.String()
	}
	writeFile(t, dir, "in.jsonl", numbered(1, records))
	ask := []string{"--base-url", b.URL, "-m", "m", "-f", "text0", "--ordered", "-c", "1", "in.jsonl"}
	if got := run(ask...); got != want {
		t.Fatalf("wrote %q, want %q", got, want)
	}
	if got := run("export", "-f", "text0"); strings.Count(got, "\x00") != records || len(got) != len(want) {
		t.Errorf("exported %q", got)
	}
	args := exec.Command("xargs", "-0", "-n1", "printf", "<%s>")
	args.Stdin = strings.NewReader(want)
	if out, err := args.Output(); err != nil || bytes.Count(out, []byte(":\n- yes\n>")) != records {
		t.Errorf("xargs -0: %v: %q", err, out)
	}
	for range 2 {
		appended, err := os.OpenFile(dir+"/out", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		p := llmpipe(t, dir, ask...)
		p.Stdout = appended
		p.exits(t, 0)
		if err := appended.Close(); err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, dir, "out"); got != want {
			t.Errorf("the file is %q, want %q", got, want)
		}
	}
	if n := b.asked.Load(); n != records {
		t.Errorf("%d requests for %d records", n, records)
	}
}
