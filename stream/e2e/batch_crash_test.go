package e2e

import (
	"math"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// Killed between any two steps in the life of its batches, the same command goes on where that one
// ended: there is one batch a shard at the provider, never two, and each record is once in the
// output and once in the ledger.
func TestBatchSurvivesAKillAtEveryStep(t *testing.T) {
	t.Parallel()
	survivesKills(t, "openai", batchKills)
}

// batchKills are between any two steps in the life of a batch.
var batchKills = []kill{
	{"intended, nothing sent", "POST /files", 1, drop},
	{"uploaded, not written down", "POST /files", 1, lose},
	{"uploaded", "GET /files/ID", 1, drop},
	{"before the batch", "POST /batches", 1, drop},
	{"created, not written down", "POST /batches", 1, lose},
	{"created", "GET /batches/ID", 1, drop},
	{"while polling", "GET /batches/ID", 3, drop},
	{"before the answers", "GET /files/ID/content", 1, drop},
	{"half-way through the answers", "GET /files/ID/content", 1, halve},
}

// kill is when a process is killed.
type kill struct {
	name string
	step string // at which call
	nth  int    // the how manieth of them, from 1
	what fate   // of that call
}

// killJob is what a command that is killed is to do.
type killJob struct {
	write             func(t *testing.T, dir string) (args []string)
	records, requests int
	check             func(t *testing.T, dir string) // nil for nothing more
}

// survivesKills kills a command once for each of the tests, and runs it again, in a dialect.
func survivesKills(t *testing.T, dialect string, tests []kill) {
	survivesKillsOf(t, dialect, tests, killJob{records: 100, requests: 100, write: func(t *testing.T, dir string) []string {
		return []string{writePrompts(t, dir, 100)}
	}})
}

func survivesKillsOf(t *testing.T, dialect string, tests []kill, job killJob) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			takes := "300ms"
			if test.nth > 1 {
				takes = "2s" // which is not over before the third poll
			}
			sim := simIn(t, dialect, "latency=0s&batch-latency="+takes)
			victim := make(chan *process, 1)
			var seen atomic.Int64
			g := newGateway(t, sim, func(step string) fate {
				if step != test.step || seen.Add(1) != int64(test.nth) {
					return pass
				}
				if test.what != halve {
					_ = (<-victim).Process.Signal(syscall.SIGKILL)
				}
				return test.what
			})
			dir := t.TempDir()
			args := byDialect(dialect, g.URL, job.write(t, dir)...)
			first := llmpipe(t, dir, args...)
			first.starts(t)
			victim <- first
			if test.what == halve {
				eventually(t, "half an answer", func() bool { return seen.Load() > 0 })
				_ = first.Process.Signal(syscall.SIGKILL)
			}
			if code := first.wait(t); code != 128+int(syscall.SIGKILL) {
				t.Fatalf("the first run was not killed: exit %d: %s", code, first.err.String())
			}
			if n := len(first.lines()); n != 0 {
				t.Fatalf("the first run printed %d lines", n)
			}
			finishBatches(t, sim, g, dir, args, job.records, job.requests)
			if job.check != nil {
				job.check(t, dir)
			}
		})
	}
}

// finishBatches runs the command to its end after one that was killed.
func finishBatches(t *testing.T, sim *simServer, g *gateway, dir string, args []string, records, requests int) {
	t.Helper()
	again := llmpipe(t, dir, args...)
	again.exits(t, 0)
	if n := len(contents(t, again)); n != records {
		t.Errorf("%d answers for %d records", n, records)
	}
	if c := sim.batches(t); c.Batches != 1 || c.Answered != requests {
		t.Errorf("the provider had %d batches and answered %d", c.Batches, c.Answered)
	}
	if n := strings.Count(export(t, dir, "llmpipe.ledger.jsonl"), "\n"); n != records {
		t.Errorf("%d results are recorded", n)
	}
	results := 0
	for _, line := range splitLines(readFile(t, dir, "llmpipe.ledger.jsonl")) {
		if strings.HasPrefix(line, `{"kind":"result"`) {
			results++
		}
	}
	if results != records {
		t.Errorf("the ledger has %d lines of results", results)
	}
	listed := listBatches(t, dir, sim) // the last: one that was never submitted comes before
	if l := listed[len(listed)-1]; l.Answered != requests || l.Cost == nil || !same(*l.Cost, costOf(t, again)) {
		t.Errorf("listed %+v, and the answers cost %g", listed, costOf(t, again))
	}
	if said := again.err.String(); strings.Contains(said, "without an answer") {
		t.Errorf("said\n%s", said)
	}
	asked := g.created()
	third := llmpipe(t, dir, args...)
	if code := third.exit(t); code != 0 || len(contents(t, third)) != records || g.created() != asked {
		t.Errorf("once more: exit %d, %d lines, %d batches: %s", code, len(third.lines()), g.created(), third.err.String())
	}
}

// same reports whether two amounts of dollars are, but for rounding.
func same(a, b float64) bool { return math.Abs(a-b) <= 1e-9*(math.Abs(a)+math.Abs(b)) }

// Killed while answers are on their way through the ledger to stdout, it goes on behind the last
// that was recorded.
func TestBatchSurvivesAKillWhileCollecting(t *testing.T) {
	t.Parallel()
	const records = 20_000
	sim := startSim(t, "latency=0s&batch-latency=100ms")
	g := newGateway(t, sim, nil)
	dir := t.TempDir()
	name := writePrompts(t, dir, records)
	args := byBatch(g.URL, name)
	first := llmpipe(t, dir, args...)
	out := new(transcript)
	first.Stdout = out
	first.starts(t)
	eventually(t, "some answers are out", func() bool { return out.has("\n") })
	_ = first.Process.Signal(syscall.SIGKILL)
	first.wait(t)
	if n := strings.Count(out.String(), "\n"); n == 0 || n >= records {
		t.Fatalf("%d lines were out when it was killed", n)
	}
	finishBatches(t, sim, g, dir, args, records, records)
}

// When the answer to the making of a batch is lost, the batch is found, and no second one is made;
// also where the listing lags.
func TestBatchWhoseMakingGotNoAnswer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, options string
		on            func() func(step string) fate
	}{
		{"by the provider", "&batch-lost=1", func() func(string) fate { return nil }},
		{"by the network", "", func() func(string) fate { return firstOf("POST /batches", lose) }},
		{"the file's, too", "&file-lost=1&batch-lost=1", func() func(string) fate { return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, "latency=0s&batch-latency=20ms"+test.options)
			g := newGateway(t, sim, test.on())
			dir := t.TempDir()
			p := llmpipe(t, dir, byBatch(g.URL, writePrompts(t, dir, 10))...)
			p.answers(t, 10)
			if c := sim.batches(t); c.Batches != 1 || c.Files > 3 || g.count("POST /batches") != 1 || g.count("POST /files") != 1 {
				t.Errorf("%d batches, %d files; asked for %d and %d", c.Batches, c.Files, g.count("POST /batches"), g.count("POST /files"))
			}
		})
	}
}

// firstOf gives the first call of a step its fate.
func firstOf(step string, what fate) func(string) fate {
	var seen atomic.Int64
	return func(s string) fate {
		if s == step && seen.Add(1) == 1 {
			return what
		}
		return pass
	}
}

// A refused upload or a broken network before the batch costs nothing but a second try.
func TestBatchTriesAgain(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"POST /files", "GET /files/ID", "POST /batches", "GET /batches/ID", "GET /files/ID/content"} {
		t.Run(strings.ReplaceAll(step, "/", ""), func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, "latency=0s&batch-latency=20ms")
			g := newGateway(t, sim, firstOf(step, drop))
			dir := t.TempDir()
			p := llmpipe(t, dir, byBatch(g.URL, writePrompts(t, dir, 10))...)
			p.answers(t, 10)
			if c := sim.batches(t); c.Batches != 1 || c.Answered != 10 {
				t.Errorf("%+v", c)
			}
			if g.count(step) < 2 {
				t.Errorf("%s was not tried again", step)
			}
		})
	}
}
