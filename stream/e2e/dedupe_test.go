package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// dedupedLine is what tests read of a line whose answer may be another record's.
type dedupedLine struct {
	ID      json.RawMessage `json:"id"`
	SameAs  json.RawMessage `json:"same_as"`
	Content string          `json:"content"`
	Cost    *float64        `json:"cost_usd"`
	Error   json.RawMessage `json:"error"`
}

func dedupedLines(t *testing.T, out string) map[string]dedupedLine {
	t.Helper()
	lines := map[string]dedupedLine{}
	for text := range strings.Lines(out) {
		var l dedupedLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if _, twice := lines[string(l.ID)]; twice {
			t.Errorf("id %s comes twice", l.ID)
		}
		lines[string(l.ID)] = l
	}
	return lines
}

// equals is an input of n records, of which each five make three different requests.
func equals(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":%d,"prompt":"question %d"}`+"\n", i, i/5*3+min(i%5, 2))
	}
	return b.String()
}

// TestDedupe asks equal requests once, whatever their ids: in one run, in a later one, and for ids
// that come later. All of them are in the output, in the ledger and in the bill, once.
func TestDedupe(t *testing.T) {
	t.Parallel()
	const records, requests = 500, 300
	for _, latency := range []string{"0s", "20ms"} { // duplicates come when the first is answered, and while it is asked
		dir := t.TempDir()
		sim := startSim(t, "latency="+latency)
		run := func(input string, args ...string) (map[string]dedupedLine, string) {
			t.Helper()
			p := llmpipe(t, dir, append([]string{"--base-url", sim.URL, "-m", "gpt-4o-mini", "-l", "job.jsonl", "--dedupe"}, args...)...)
			p.Stdin = strings.NewReader(input)
			p.exits(t, 0)
			return dedupedLines(t, p.out.String()), p.err.String()
		}
		check := func(what string, lines map[string]dedupedLine, want int) {
			t.Helper()
			same, cost := 0, 0.0
			for id, l := range lines {
				cost += *l.Cost
				if l.SameAs == nil {
					continue
				}
				same++
				if first := lines[string(l.SameAs)]; *l.Cost != 0 || l.Content != first.Content || string(l.SameAs) == id || first.SameAs != nil {
					t.Errorf("%s: %s is the same as %s: %+v and %+v", what, id, l.SameAs, l, first)
				}
			}
			if len(lines) != records || same != records-requests {
				t.Errorf("%s: %d lines, %d of them the same as others", what, len(lines), same)
			}
			if n := sim.stats(t).Requests; n != want {
				t.Errorf("%s: %d requests, want %d", what, n, want)
			}
		}
		lines, said := run(equals(records))
		check("first", lines, requests)
		if !strings.Contains(said, "500 ok (200 duplicates)") {
			t.Errorf("said %s", said)
		}
		lines, _ = run(equals(records))
		check("again", lines, requests)
		export := llmpipe(t, dir, "export", "job.jsonl")
		export.exits(t, 0)
		check("export", dedupedLines(t, export.out.String()), requests)
		plain := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-l", "job.jsonl")
		plain.Stdin = strings.NewReader(equals(records))
		plain.exits(t, 0)
		check("without --dedupe", dedupedLines(t, plain.out.String()), requests)
		later := strings.ReplaceAll(equals(records), `{"id":`, `{"id":1000`)
		if lines, _ = run(later); len(lines) != records {
			t.Errorf("%d lines of other ids", len(lines))
		}
		for id, l := range lines {
			if l.SameAs == nil || *l.Cost != 0 {
				t.Errorf("%s is not the same as one before: %+v", id, l)
			}
		}
		if n := sim.stats(t).Requests; n != requests {
			t.Errorf("%d requests after other ids, want %d", n, requests)
		}
	}
}

// TestDedupeOfWhatAnotherProcessAnswers has a record wait for its turn, while another process of
// the ledger gets an answer to an equal request: that is its answer, too.
func TestDedupeOfWhatAnotherProcessAnswers(t *testing.T) {
	t.Parallel()
	dir, answer := t.TempDir(), make(chan struct{})
	b := newBackend(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			<-answer
		}
		answerChat(w)
	})
	run := func(input string) *process {
		p := llmpipe(t, dir, "--base-url", b.URL, "-m", "gpt-4o-mini", "--dedupe", "-c", "1")
		p.Stdin = strings.NewReader(input)
		return p
	}
	waits := run(`{"id":1,"prompt":"first"}` + "\n" + `{"id":2,"prompt":"equal"}` + "\n")
	waits.starts(t)
	eventually(t, "the first is asked about", func() bool { return b.asked.Load() == 1 })
	run(`{"id":3,"prompt":"equal"}`+"\n").exits(t, 0)
	close(answer)
	if code := waits.wait(t); code != 0 {
		t.Errorf("exit %d: %s", code, &waits.err)
	}
	if l := dedupedLines(t, waits.out.String())["2"]; l.Content != "said" || string(l.SameAs) != "3" || b.asked.Load() != 2 {
		t.Errorf("%d requests, and the line is %+v", b.asked.Load(), l)
	}
}

// TestDedupeWithMatchID has neither of two recorded answers fit the schema: that of the record
// under another request, and that of another record to an equal one. Whichever is newer, the record
// is asked about, at once or by batch.
func TestDedupeWithMatchID(t *testing.T) {
	t.Parallel()
	const own, equal = `{"id":1,"prompt":"before"}` + "\n", `{"id":2,"prompt":"equal"}` + "\n"
	for _, mode := range []string{"realtime", "batch"} {
		for name, recorded := range map[string][]string{"own is newer": {equal, own}, "equal is newer": {own, equal}} {
			t.Run(mode+" "+name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				schema := writeFile(t, dir, "schema.json", `{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}`)
				run := func(input string, args ...string) *process {
					p := llmpipe(t, dir, append([]string{"--base-url", "sim:?batch-latency=50ms", "--dedupe", "-l", "job.jsonl"}, args...)...)
					p.Stdin = strings.NewReader(input)
					p.exits(t, 0)
					return p
				}
				for _, input := range recorded {
					run(input)
				}
				// A record that nobody asks about is waited for until the deadline, less 30 s for what is in
				// flight.
				p := run(`{"id":1,"prompt":"equal"}`+"\n", "--mode", mode, "--match", "id", "--schema", schema, "--deadline", "40s")
				if l := dedupedLines(t, p.out.String())["1"]; l.SameAs != nil || !strings.Contains(l.Content, `"n"`) {
					t.Errorf("the line is %+v", l)
				}
			})
		}
	}
}

// TestDedupeOfFailures: those that wait for a request that fails share its failure, and nobody asks
// again behind it.
func TestDedupeOfFailures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sim := startSim(t, "latency=100ms&fail=1")
	p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-l", "job.jsonl", "--dedupe", "--retries", "0",
		"--failed", "failed.jsonl")
	p.Stdin = strings.NewReader(`{"id":1,"prompt":"x"}` + "\n" + `{"id":2,"prompt":"x"}` + "\n" + `{"id":1,"prompt":"x"}` + "\n")
	p.exits(t, 3)
	if n := strings.Count(p.out.String(), `"error"`); n != 3 || sim.stats(t).Requests != 1 {
		t.Errorf("%d error lines after %d requests: %s", n, sim.stats(t).Requests, &p.out)
	}
	again := llmpipe(t, dir, "--base-url", "sim:", "-m", "gpt-4o-mini", "-l", "sim.jsonl", "--dedupe", "failed.jsonl")
	again.exits(t, 0)
}

// TestDedupeWhereItCannotBe is a wrong command line.
func TestDedupeWhereItCannotBe(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--no-ledger"}, {"--no-ledger", "--mode", "batch"}} {
		p := llmpipe(t, t.TempDir(), append(args, "--base-url", "sim:", "--dedupe")...)
		p.exits(t, 2)
	}
}
