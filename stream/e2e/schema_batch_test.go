//go:build unix

package e2e

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestSchemaBatchSurvivesAKill kills a run at each step of its first batch, and of the one that
// asks again about what did not fit: the same command goes on, and no answer is lost or paid for
// twice.
func TestSchemaBatchSurvivesAKill(t *testing.T) {
	t.Parallel()
	const records = 60
	text, s := ticketSchema(t)
	for _, dialect := range append(dialects, "messages") {
		create, _ := stepsIn(dialect)
		kills := []kill{
			{"not made", create, 1, drop}, {"made, not written down", create, 1, lose},
			{"not made again", create, 2, drop}, {"made again, not written down", create, 2, lose},
		}
		if dialect == "messages" {
			kills = append(kills,
				kill{"before the answers", "GET /messages/batches/ID/results", 1, drop},
				kill{"half-way through the second answers", "GET /messages/batches/ID/results", 2, halve})
		} else {
			kills = append(kills,
				kill{"uploaded again, not written down", "POST /files", 2, lose},
				kill{"before the answers", "GET /files/ID/content", 1, drop},
				kill{"half-way through the answers", "GET /files/ID/content", 1, halve},
				kill{"before the second answers", "GET /files/ID/content", 2, drop},
				kill{"half-way through the second answers", "GET /files/ID/content", 2, halve})
		}
		if dialect != "openai" && dialect != "messages" && !*long {
			kills = kills[3:4]
		}
		for _, test := range kills {
			t.Run(dialect+", "+test.name, func(t *testing.T) {
				t.Parallel()
				sim := simIn(t, dialect, "latency=0s&batch-latency=200ms&misfit=0.5")
				victim := make(chan *process, 1)
				var seen atomic.Int64
				g := newGateway(t, sim, func(step string) fate {
					if step != test.step || seen.Add(1) != int64(test.nth) {
						return pass
					}
					_ = (<-victim).Process.Signal(syscall.SIGKILL)
					return test.what
				})
				dir := t.TempDir()
				writeFile(t, dir, "s.json", text)
				run := func() *process {
					p := llmpipe(t, dir, byDialect(dialect, g.URL, "-p", "Sort: {{.body}}", "--schema", "s.json", "--reask", "2")...)
					p.Stdin = strings.NewReader(tickets(records))
					return p
				}
				first := run()
				first.starts(t)
				victim <- first
				if code := first.wait(t); code != 128+int(syscall.SIGKILL) {
					t.Fatalf("the first run was not killed: exit %d: %s", code, first.err.String())
				}
				again := run()
				again.exits(t, 3)
				if lines := shapedLines(t, again.out.String()); len(lines) != records || fits(t, s, lines) == 0 {
					t.Errorf("%d lines", len(lines))
				}
				if c := sim.batches(t); c.Answered != paidTurns(t, dir) {
					t.Errorf("the provider answered %d, and %d results are recorded", c.Answered, paidTurns(t, dir))
				}
			})
		}
	}
}
