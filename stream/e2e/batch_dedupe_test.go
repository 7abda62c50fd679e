package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// urgentEquals is equals with some of the records urgent: of those that are equal some go one way
// and some the other.
func urgentEquals(n int) string {
	var b strings.Builder
	for i, line := range splitLines(equals(n)) {
		if i%3 == 0 {
			line = strings.Replace(line, `{`, `{"priority":"high",`, 1)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// TestBatchDedupe asks equal requests once, whatever their ids and whichever way they go: in one
// run, in a later one, and for ids that come later.
func TestBatchDedupe(t *testing.T) {
	t.Parallel()
	const records, requests = 500, 300
	for _, test := range []struct {
		name, options string
		args          []string
		input         string
	}{
		{"batch", "latency=0s&batch-latency=20ms", []string{"--mode", "batch"}, equals(records)},
		{"messages", "latency=0s&batch-latency=20ms", []string{"--mode", "batch", "--endpoint", "messages"}, equals(records)},
		{"hybrid", "latency=0s&batch-latency=20ms", []string{"--mode", "hybrid"}, urgentEquals(records)},
		{"slow requests", "latency=100ms&batch-latency=20ms", []string{"--mode", "hybrid"}, urgentEquals(records)},
		{"expiring", "latency=0s&batch-latency=20ms&batch-expire=0.3", []string{"--mode", "batch"}, equals(records)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			sim := startSim(t, test.options)
			run := func(input string) *process {
				t.Helper()
				p := llmpipe(t, dir, append([]string{"--base-url", sim.URL, "-m", "claude-sonnet-4-5", "-l", "job.jsonl", "--dedupe"}, test.args...)...)
				p.Stdin = strings.NewReader(input)
				if code := p.exit(t); code != 0 && test.name != "expiring" {
					t.Fatalf("exit %d: %s", code, &p.err)
				}
				return p
			}
			check := func(what, out string) {
				t.Helper()
				lines, same, failed := dedupedLines(t, out), 0, 0
				for id, l := range lines {
					if l.Error != nil {
						failed++
						continue
					}
					if l.SameAs == nil {
						continue
					}
					same++
					if first := lines[string(l.SameAs)]; *l.Cost != 0 || l.Content != first.Content || string(l.SameAs) == id || first.SameAs != nil {
						t.Errorf("%s: %s is the same as %s: %+v and %+v", what, id, l.SameAs, l, first)
					}
				}
				if len(lines) != records || same != records-requests && failed == 0 {
					t.Errorf("%s: %d lines, %d of them the same as others", what, len(lines), same)
				}
				if n := sim.stats(t).Answered + sim.batches(t).Answered; n != requests && failed == 0 {
					t.Errorf("%s: %d requests, want %d", what, n, requests)
				}
			}
			p := run(test.input)
			check("first", p.out.String())
			if test.name == "expiring" {
				return // the same failures, once an answer
			}
			p.says(t, "500 ok (200 duplicates)")
			check("again", run(test.input).out.String())
			export := llmpipe(t, dir, "export", "job.jsonl")
			export.exits(t, 0)
			check("export", export.out.String())
			later := run(strings.ReplaceAll(equals(records), `{"id":`, `{"id":1000`))
			for id, l := range dedupedLines(t, later.out.String()) {
				if l.SameAs == nil || *l.Cost != 0 {
					t.Errorf("%s is not the same as one before: %+v", id, l)
				}
			}
			if n := sim.stats(t).Answered + sim.batches(t).Answered; n != requests {
				t.Errorf("%d requests after other ids, want %d", n, requests)
			}
		})
	}
}

// TestBatchDedupeSurvivesAKillAtEveryStep loses nobody who waits for another's answer, and asks
// nothing twice.
func TestBatchDedupeSurvivesAKillAtEveryStep(t *testing.T) {
	t.Parallel()
	survivesKillsOf(t, "openai", batchKills, killJob{records: 100, requests: 60, write: func(t *testing.T, dir string) []string {
		return []string{"--dedupe", writeFile(t, dir, "equals.jsonl", equals(100))}
	}})
}

// TestBatchAttachedSurvivesAKillAtEveryStep records of each file what was sent, whoever collects
// it.
func TestBatchAttachedSurvivesAKillAtEveryStep(t *testing.T) {
	t.Parallel()
	survivesKillsOf(t, "openai", batchKills, killJob{records: 20, requests: 20, write: func(t *testing.T, dir string) []string {
		records := writePhotos(t, dir, 20, 1000)
		return []string{"-p", "Describe it.", "--attach", "image", writeFile(t, dir, "photos.jsonl", records)}
	}, check: func(t *testing.T, dir string) {
		sums := attachedIn(t, dir, "llmpipe.ledger.jsonl")
		for i := range 20 {
			if name := fmt.Sprintf("photos/%d.gif", i); sums[name] != sumOf(gifOf(i, 1000)) {
				t.Errorf("%s is recorded as %q", name, sums[name])
			}
		}
	}})
}

// TestBatchDedupeOfFailures: those that wait for a request that fails share its failure.
func TestBatchDedupeOfFailures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sim := startSim(t, "latency=0s&batch-latency=20ms")
	p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-l", "job.jsonl", "--dedupe", "--mode", "batch",
		"--failed", "failed.jsonl")
	p.Stdin = strings.NewReader(repeat(1, 3, func(i int) string { return fmt.Sprintf(`{"id":%d,"prompt":"x","max_tokens":-1}`, i) }) +
		`{"id":4,"prompt":"y"}` + "\n")
	p.exits(t, 3)
	if n := strings.Count(p.out.String(), `"error"`); n != 3 || sim.batches(t).Batches != 1 {
		t.Errorf("%d error lines of %d batches: %s", n, sim.batches(t).Batches, &p.out)
	}
	if failed := splitLines(readFile(t, dir, "failed.jsonl")); len(failed) != 3 {
		t.Errorf("%d failed", len(failed))
	}
}

// TestBatchDedupeGoesOnWithoutWhoLed asks about a record that waits for another's answer, where the
// batch expires and the input does not hold that other one any more.
func TestBatchDedupeGoesOnWithoutWhoLed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sim := startSim(t, "latency=0s&batch-latency=20ms&batch-expire=1&batch-expire-first=1")
	args := []string{"--base-url", sim.URL, "-m", "gpt-4o-mini", "-l", "job.jsonl", "--dedupe", "--mode", "batch"}
	leads := llmpipe(t, dir, append(args, "--detach")...)
	leads.Stdin = strings.NewReader(`{"id":1,"prompt":"x"}` + "\n")
	leads.exits(t, 75)
	follows := llmpipe(t, dir, args...)
	follows.Stdin = strings.NewReader(`{"id":2,"prompt":"x"}` + "\n")
	follows.exits(t, 0)
	if l := dedupedLines(t, follows.out.String())["2"]; l.Content == "" || l.SameAs != nil {
		t.Errorf("the line of who followed: %s", &follows.out)
	}
	if c := sim.batches(t); c.Batches != 2 || c.Answered != 1 {
		t.Errorf("%+v", c)
	}
}

// TestDedupeOfFilesThatChange asks about a file that has changed once, however many records name
// it.
func TestDedupeOfFilesThatChange(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"realtime", "batch", "hybrid"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writePhotos(t, dir, 1, 1000)
			sim := startSim(t, "latency=0s&batch-latency=20ms")
			for i := range 3 {
				writeFile(t, dir, "photos/0.gif", gifOf(i, 1000+i))
				if err := os.Chtimes(filepath.Join(dir, "photos", "0.gif"), time.Time{}, time.Unix(1e9+int64(i), 0)); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-l", "job.jsonl", "--dedupe", "--mode", mode, "-p", "Describe it.",
						"--attach", "image", "-c", "1")
					p.Stdin = strings.NewReader(repeat(1, 9, func(n int) string { return fmt.Sprintf(`{"id":%d,"image":"photos/0.gif"}`, n) }))
					p.exits(t, 0)
					if lines := p.lines(); len(lines) != 9 {
						t.Errorf("%d lines", len(lines))
					}
					if n := sim.stats(t).Answered + sim.batches(t).Answered; n != i+1 {
						t.Errorf("%d requests about %d contents", n, i+1)
					}
				}
			}
			var last struct {
				Attachments []struct{ SHA256 string }
			}
			lines := splitLines(readFile(t, dir, "job.jsonl"))
			for _, line := range lines {
				if strings.HasPrefix(line, `{"kind":"result"`) {
					if err := json.Unmarshal([]byte(line), &last); err != nil {
						t.Fatal(err)
					}
				}
			}
			if len(last.Attachments) != 1 || last.Attachments[0].SHA256 != sumOf(gifOf(2, 1002)) {
				t.Errorf("the last answer is recorded as about %+v", last.Attachments)
			}
		})
	}
}

// TestBatchDedupeOfTwins has records that come again under their own ids, of those that lead and of
// those that follow.
func TestBatchDedupeOfTwins(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"batch", "hybrid"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			sim := startSim(t, "latency=0s&batch-latency=20ms")
			var input strings.Builder
			for _, id := range []int{1, 2, 2, 1, 3, 2} {
				fmt.Fprintf(&input, `{"id":%d,"prompt":"x"}`+"\n", id)
			}
			for range 2 {
				p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-l", "job.jsonl", "--dedupe", "--mode", mode, "--summary", "s.json")
				p.Stdin = strings.NewReader(input.String())
				p.exits(t, 0)
				if n := sim.stats(t).Answered + sim.batches(t).Answered; len(p.lines()) != 6 || n != 1 {
					t.Errorf("%d lines of %d requests: %s", len(p.lines()), n, &p.err)
				}
				if said := p.err.String(); strings.Contains(said, "without an answer") || strings.Contains(said, "2 batches") {
					t.Errorf("said %s", said)
				}
			}
		})
	}
}

// TestDedupeOfWhatIsReadMeanwhile has an urgent record read, and wait for room, while an equal one
// waits for money to go by batch. The money comes, and the batch is made, before the room is there:
// the urgent one waits for the batch.
func TestDedupeOfWhatIsReadMeanwhile(t *testing.T) {
	t.Parallel()
	dir, collect, release := t.TempDir(), make(chan struct{}), make(chan struct{})
	sim := startSim(t, "latency=0s&batch-latency=20ms&output=10")
	g := newGateway(t, sim, func(step string) fate {
		switch step {
		case "GET /batches/ID":
			<-collect
		case "POST /chat/completions":
			<-release
		}
		return pass
	})
	run := func(args ...string) *process {
		return llmpipe(t, dir, append([]string{"--base-url", g.URL, "-m", "gpt-4o-mini", "--dedupe", "--budget", "0.0005"}, args...)...)
	}
	// A token costs $0.0000003 by batch, and twice as much at once. The batch of the first run holds
	// $0.0003, and the first urgent record $0.00015: that leaves too little for the equal ones.
	before := run("--mode", "batch", "--detach")
	before.Stdin = strings.NewReader(`{"id":1,"prompt":"before","max_tokens":1000}` + "\n")
	before.exits(t, 75)
	p := run("--mode", "hybrid", "-c", "1") // of the urgent ones there is room for two
	stdin, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.starts(t)
	for _, line := range []string{
		`{"id":2,"prompt":"first","max_tokens":250,"priority":"high"}`,
		`{"id":3,"prompt":"equal","max_tokens":200}`,
		`{"id":4,"prompt":"which has the shard before it sent","max_tokens":1200}`,
		`{"id":5,"prompt":"second","max_tokens":5,"priority":"high"}`,
		`{"id":6,"prompt":"equal","max_tokens":200,"priority":"high"}`,
	} {
		if _, err := io.WriteString(stdin, line+"\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond) // in which it comes to where it waits
	}
	close(collect)
	eventually(t, "the batch of the equal one", func() bool { return g.count("POST /batches") == 2 })
	close(release)
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(t); code != 0 || len(p.lines()) != 5 {
		t.Errorf("exit %d, %d lines: %s", code, len(p.lines()), &p.err)
	}
	if n := sim.stats(t).Answered + sim.batches(t).Answered; n != 5 {
		t.Errorf("%d answers to 5 requests: %s", n, &p.out)
	}
}
