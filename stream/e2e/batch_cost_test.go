package e2e

import (
	"strings"
	"testing"
)

// What was billed for an answer that nobody can use is spent all the same, though the record is
// asked about again. A part of it without a price makes it a lower bound, like any cost.
func TestBatchBillsForAnswersWithoutChoices(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.line = func(b *oddBatch, _ int, id string) string {
		if b.n == 1 && id == "a000" {
			return strings.Replace(answerLine(id, "", 1000, 1000), `"usage":{`, `"usage":{"num_search_queries":2,`, 1)
		}
		return answerLine(id, choice(`"said"`), 10, 10)
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, o.args("--summary", "summary.json", "--budget", "1")...)
	p.Stdin = strings.NewReader(hello("a", "", 3) + hello("a", "", 1))
	if code := p.exit(t); code != 0 || len(p.lines()) != 4 {
		t.Fatalf("exit %d, %d lines: %s", code, len(p.lines()), p.err.String())
	}
	want := int64((miniPrice(1000, 1000) + 3*miniPrice(10, 10)) / 2 * dollar)
	if got := reported(t, dir); !within(1, got, want+1) {
		t.Errorf("the report says %d, want %d", got, want)
	}
	for _, line := range splitLines(readFile(t, dir, "llmpipe.ledger.jsonl")) {
		if strings.Contains(line, `"cost_partial":true`) != strings.HasPrefix(line, `{"kind":"failure"`) {
			t.Errorf("the cost is a lower bound of the one that is written off, and of no other: %s", line)
		}
	}
	if s := readSummary(t, dir); s.Cost == nil || !within(1, int64(*s.Cost), want+1) {
		t.Errorf("the summary says %v, want %d", s.Cost, want)
	}
}

// A record that two commands asked about at the same moment, each its own way and with a ledger of
// its own, costs what both cost in the ledger that cat makes of the two. With one ledger the second
// leaves it to the first.
func TestBatchBillsForAnswersThatAreNotUsed(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=50ms")
	release := make(chan struct{})
	g := newGateway(t, b.sim, func(string) fate { <-release; return pass })
	input := hello("a", "", 3)
	now := b.on(t, input)
	for i, arg := range now.Args {
		if arg == b.sim.URL {
			now.Args[i] = g.URL
		}
	}
	now.starts(t)
	eventually(t, "it is asked at once", func() bool { return g.count("POST /chat/completions") == 3 })
	second := b.on(t, input, "--mode", "batch", "--detach")
	second.exits(t, 75)
	second.says(t, "3 records sent by another process that uses the ledger", "hint: run the same command again when that process has ended")
	beside := llmpipe(t, t.TempDir(), byBatch(b.sim.URL, "--detach")...)
	beside.Stdin = strings.NewReader(input)
	beside.exits(t, 75)
	close(release)
	if code := now.wait(t); code != 0 {
		t.Fatalf("exit %d: %s", code, now.err.String())
	}
	half := reported(t, b.dir)
	eventually(t, "the batch has ended", func() bool { return listBatches(t, beside.Dir, b.sim)[0].State == "completed" })
	known := readFile(t, beside.Dir, "llmpipe.ledger.jsonl") + readFile(t, b.dir, "llmpipe.ledger.jsonl")
	for _, later := range []string{input, hello("b", "", 1)} { // whether or not the input still holds the records
		dir := t.TempDir()
		writeFile(t, dir, "llmpipe.ledger.jsonl", known)
		p := llmpipe(t, dir, byBatch(b.sim.URL)...)
		p.Stdin = strings.NewReader(later)
		p.exits(t, 0)
		listed := listBatches(t, dir, b.sim)[0]
		if listed.Cost == nil || !within(1, int64(*listed.Cost*dollar), half/2+1) {
			t.Errorf("%+v, want half of %d for the batch", listed, half)
		}
		if got := reported(t, dir); got < half+half/2-3 {
			t.Errorf("the report says %d, want %d and half of that", got, half)
		}
	}
}

// Records that are in a batch are paid for there: no other way asks about them too, neither
// realtime nor another provider's batches.
func TestBatchedRecordsAreNotAskedAboutElsewhere(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=50ms")
	other := startSim(t, "latency=0s")
	input := hello("a", "", 3)
	b.on(t, input, "--mode", "batch", "--detach").exits(t, 75)
	input += hello("a", "", 1) + hello("b", urgently, 2)
	for _, flags := range [][]string{{}, {"--limit", "2"}, {"--mode", "hybrid", "--base-url", other.URL}} {
		p := b.on(t, input, flags...)
		code := p.exit(t)
		if s := readSummary(t, b.dir); code != 75 || len(contents(t, p)) != 2 || s.OK != 2 || s.OK+s.Unsent != s.In {
			t.Errorf("%v: exit %d, %+v: %s", flags, code, s, p.err.String())
		}
		p.says(t, "4 records in batches that are not collected yet", "hint: collect them with --mode batch")
	}
	if asked := b.sim.stats(t).Answered + other.batches(t).Answered; asked != 2 {
		t.Errorf("%d records were asked about", asked)
	}
	if p := b.on(t, input, "--mode", "batch"); p.exit(t) != 0 || b.sim.batches(t).Batches != 1 {
		t.Errorf("%d batches: %s", b.sim.batches(t).Batches, p.err.String())
	}
}
