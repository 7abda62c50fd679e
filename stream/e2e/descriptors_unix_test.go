//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A process that may have few files and connections open has fewer requests in flight, says so
// once, and neither stalls nor fails a record.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	const records = 300
	for _, c := range []struct {
		limit, most int64
		args        []string
		says        int
	}{
		{64, 52, []string{"-c", "1000"}, 1},
		{16, 8, nil, 1},
		{16, 8, []string{"-c", "1000", "-q"}, 0},
		{64, 52, []string{"-c", "4"}, 0}, // which fits
		{16, 8, []string{"--fallback", "url=%s/v1,model=m"}, 1},
	} {
		t.Run(fmt.Sprint(c.limit, c.args), func(t *testing.T) {
			t.Parallel()
			var inFlight, peak atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				n := inFlight.Add(1)
				defer inFlight.Add(-1)
				for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
				}
				time.Sleep(time.Millisecond)
				fmt.Fprint(w, `{"choices":[{"message":{"content":"fine"},"finish_reason":"stop"}]}`)
			}))
			defer server.Close()
			dir := t.TempDir()
			for i, arg := range c.args {
				c.args[i] = strings.Replace(arg, "%s", server.URL, 1)
			}
			p := llmpipe(t, dir, append([]string{"--base-url", server.URL + "/v1", "-m", "m", "--failed", "failed.jsonl", "--retries", "0"},
				append(c.args, writePrompts(t, dir, records))...)...)
			limited := []string{"-c", fmt.Sprintf("ulimit -n %d && exec \"$@\"", c.limit), "sh", p.Path}
			p.Path, p.Args = "/bin/sh", append(append([]string{"sh"}, limited...), p.Args[1:]...)
			if p.Err != nil {
				t.Fatal(p.Err)
			}
			code := p.exit(t)
			if n := strings.Count(p.out.String(), `"attempts":1`); code != 0 || n != records {
				t.Errorf("exit %d, %d answers at the first attempt, %s", code, n, &p.err)
			}
			if n := strings.Count(p.err.String(), "files and connections open"); n != c.says {
				t.Errorf("said %d times: %s", n, &p.err)
			}
			if peak.Load() > c.most {
				t.Errorf("%d requests were in flight, with %d descriptors", peak.Load(), c.limit)
			}
		})
	}
}
