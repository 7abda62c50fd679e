package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestAnswersWithoutUsageCount: where nobody says what an answer cost, the most that it may have
// cost counts against the budget, also of the runs that come after. So the same command, however
// often, asks no more than one.
func TestAnswersWithoutUsageCount(t *testing.T) {
	for _, test := range []struct {
		flag string
		exit int
	}{{"--budget", 4}, {"--budget-per-day", 75}} {
		t.Run(test.flag, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
				if n == 1 { // it may be billed, and nobody knows
					panic(http.ErrAbortHandler)
				}
				answerWith(w, `"created":1750000000`)
			})
			dir := t.TempDir()
			prompts := writeBounded(t, dir, 20, always(500)) // 0.0003 dollars and a little for the prompt
			run := func(dollars string, asked int64) {
				t.Helper()
				p := llmpipe(t, dir, "--base-url", b.URL, "-m", "gpt-4o-mini", "-c", "1", test.flag, dollars, prompts)
				p.exits(t, test.exit)
				if n := b.asked.Load(); n != asked {
					t.Errorf("%s %s: %d requests by now, want %d: %s", test.flag, dollars, n, asked, &p.err)
				}
				if strings.Contains(p.err.String(), "does not count against the budget") {
					t.Errorf("%s %s: said %s", test.flag, dollars, &p.err)
				}
			}
			run("0.001", 3)
			run("0.001", 3)
			run("0.002", 6)
			run("0.002", 6)
		})
	}
}
