package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// writeTwins writes a file of n records, of which each comes so many times, and returns its name.
func writeTwins(t *testing.T, dir string, n, times int) string {
	t.Helper()
	return writeFile(t, dir, "twins.jsonl", strings.Repeat(numbered(1, n), times))
}

// A request that many records share is answered, fails and costs once, however late its twins come
// by.
func TestBatchOfTwins(t *testing.T) {
	t.Parallel()
	const requests, times = 20, 200
	for name, line := range map[string]func(id string) string{
		"answered": said,
		"refused":  func(id string) string { return refusedLine(id, 400, "odd") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOddBatches(t)
			o.line = func(_ *oddBatch, _ int, id string) string { return line(id) }
			dir := t.TempDir()
			p := llmpipe(t, dir, o.args("--progress", "json", "--summary", "summary.json", writeTwins(t, dir, requests, times))...)
			code := p.exit(t)
			results := p.results(t)
			failed := 0
			for _, r := range results {
				if r.Error != nil {
					failed++
				}
			}
			answered, refused, want := requests, 0, 0
			if name == "refused" {
				answered, refused, want = 0, requests, 3
			}
			if code != want || len(results) != requests*times || failed != refused*times {
				t.Errorf("exit %d, %d lines, %d failed: %s", code, len(results), failed, p.err.String())
			}
			if what := fmt.Sprintf("%d answered, %d failed", answered, refused); !strings.Contains(p.err.String(), what) {
				t.Errorf("not %s:\n%s", what, p.err.String())
			}
			kinds := map[string]int{}
			for _, line := range splitLines(readFile(t, dir, "llmpipe.ledger.jsonl")) {
				kind, _, _ := strings.Cut(strings.TrimPrefix(line, `{"kind":"`), `"`)
				kinds[kind]++
			}
			if kinds["result"] != answered || kinds["failure"] != refused {
				t.Errorf("recorded %v", kinds)
			}
			cost := miniPrice(3000, 1000) / 2 * float64(answered)
			if s := readSummary(t, dir); s.Cost == nil || !same(float64(*s.Cost)/dollar, cost) {
				t.Errorf("the summary says %v, want %g", s.Cost, cost)
			}
			if spent := lastSpent(t, p); !same(spent, cost) {
				t.Errorf("the progress says %g were spent, want %g", spent, cost)
			}
		})
	}
}

// lastSpent is what the last line of --progress json says was spent.
func lastSpent(t *testing.T, p *process) float64 {
	t.Helper()
	spent := -1.0
	for _, line := range splitLines(p.err.String()) {
		var status struct {
			Spent *float64 `json:"spent_usd"`
		}
		if json.Unmarshal([]byte(line), &status) == nil && status.Spent != nil {
			spent = *status.Spent
		}
	}
	return spent
}
