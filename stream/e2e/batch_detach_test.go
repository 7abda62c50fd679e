package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// With --detach the command submits and comes back at once; the same command collects what is
// ready.
func TestBatchDetached(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=500ms")
	dir := t.TempDir()
	name := writePrompts(t, dir, 50)
	args := byBatch(sim.URL, "--detach", "--batch-metadata", "job=night", name)
	first := llmpipe(t, dir, args...)
	if code := first.exit(t); code != 75 || len(first.lines()) != 0 {
		t.Fatalf("exit %d, %d lines: %s", code, len(first.lines()), first.err.String())
	}
	first.says(t, "1 batch not finished yet", "hint: run the same command again at any time")
	listed := listBatches(t, dir, sim)
	if len(listed) != 1 || !listed[0].Pending || listed[0].Requests != 50 || listed[0].Batch == "" || listed[0].Model != "gpt-4o-mini" {
		t.Errorf("listed %+v", listed)
	}
	last := untilDone(t, func() *process { return llmpipe(t, dir, args...) })
	if n := len(contents(t, last)); n != 50 {
		t.Errorf("%d lines", n)
	}
	if c := sim.batches(t); c.Batches != 1 || c.Answered != 50 {
		t.Errorf("the simulator counted %+v", c)
	}
	listed = listBatches(t, dir, sim)
	if len(listed) != 1 || listed[0].Pending || listed[0].State != "completed" || listed[0].Answered != 50 || listed[0].Cost == nil {
		t.Errorf("listed %+v", listed)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "llmpipe.ledger.jsonl.*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// listedBatch is what tests read of `llmpipe batches --json`.
type listedBatch struct {
	Shard    string   `json:"shard"`
	Batch    string   `json:"batch"`
	State    string   `json:"state"`
	Pending  bool     `json:"pending"`
	Requests int      `json:"requests"`
	Answered int      `json:"answered"`
	Model    string   `json:"model"`
	Cost     *float64 `json:"cost_usd"`
	Reserved float64  `json:"reserved_usd"`
}

func listBatches(t *testing.T, dir string, sim *simServer) []listedBatch {
	t.Helper()
	p := llmpipe(t, dir, "batches", "--json", "--base-url", sim.URL)
	p.exits(t, 0)
	var all []listedBatch
	if err := json.Unmarshal(p.out.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// The input is edited between --detach and the return: what is still asked for is used, what is new
// is submitted, and what is gone is kept in the ledger, and said.
func TestBatchWhoseInputIsEdited(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=100ms")
	dir := t.TempDir()
	write := func(from, to int, edited string) string {
		return repeat(from, to, func(i int) string { return fmt.Sprintf(`{"id":"r%d","prompt":"number %[1]d%s"}`, i, edited) })
	}
	run := func(input string, flags ...string) *process {
		name := writeFile(t, dir, "in.jsonl", input)
		p := llmpipe(t, dir, append(byBatch(sim.URL, name), flags...)...)
		if code := p.exit(t); code != 0 && (code != 75 || len(flags) == 0) {
			t.Fatalf("exit %d: %s", code, p.err.String())
		}
		return p
	}
	run(write(1, 30, ""), "--detach")
	eventually(t, "the batch has ended", func() bool { return listBatches(t, dir, sim)[0].State == "completed" })
	// The first ten are gone, the next ten are as they were, the last ten have another prompt, and
	// ten more are new.
	p := run(write(11, 20, "")+write(21, 30, ", edited")+write(31, 40, ""), "--summary", "summary.json")
	if n := len(contents(t, p)); n != 30 {
		t.Errorf("%d lines", n)
	}
	if c := sim.batches(t); c.Batches != 2 || c.Answered != 50 {
		t.Errorf("the simulator counted %+v", c)
	}
	// All of them were paid for in this run.
	spent, _, _ := ledgerSays(t, filepath.Join(dir, "llmpipe.ledger.jsonl"))
	if cost := readSummary(t, dir).Cost; cost == nil || int64(*cost) != spent || spent == 0 {
		t.Errorf("the summary says that the run cost %v, the ledger %d", cost, spent)
	}
	p.says(t, "20 of its answers belong to records that are not in this input: they are kept in the ledger", "30 in: 30 ok, 0 failed")
	// They are there when they are wanted again.
	if p := run(write(1, 10, "")); len(contents(t, p)) != 10 || sim.batches(t).Batches != 2 {
		t.Errorf("%d lines, %d batches", len(p.lines()), sim.batches(t).Batches)
	}
}

// A signal leaves the batches running, says so, and the same command goes on.
func TestBatchInterrupted(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	var done atomic.Bool
	o.state = func(b *oddBatch) string {
		if done.Load() {
			return b.ended()
		}
		return stillRunning
	}
	dir := t.TempDir()
	name := writePrompts(t, dir, 10)
	p := llmpipe(t, dir, o.args("--summary", "summary.json", name)...)
	said := new(transcript)
	p.Stderr = said
	p.starts(t)
	eventually(t, "the batch is made", func() bool { return said.has(": 10 requests") })
	_ = p.Process.Signal(syscall.SIGINT)
	if code := p.wait(t); code != 128+int(syscall.SIGINT) {
		t.Fatalf("exit %d: %s", code, said.String())
	}
	if !said.has("1 batch continues at the provider: the same command collects it later") {
		t.Errorf("said\n%s", said.String())
	}
	if s := readSummary(t, dir); s.In != 10 || s.Unsent != 10 {
		t.Errorf("summary %+v", s)
	}
	done.Store(true)
	llmpipe(t, dir, o.args(name)...).answers(t, 10)
	if n := len(o.batches()); n != 1 {
		t.Errorf("%d batches", n)
	}
}

// A batch that is cancelled gives what it has answered, and the run stops there; a batch that is
// forgotten is asked about anew.
func TestBatchesCancelAndForget(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=10s")
	dir := t.TempDir()
	name := writePrompts(t, dir, 10)
	args := byBatch(sim.URL, "--detach", name)
	batches := func(args ...string) string {
		p := llmpipe(t, dir, append([]string{"batches", "--base-url", sim.URL}, args...)...)
		p.exits(t, 0)
		return p.out.String() + p.err.String()
	}
	llmpipe(t, dir, args...).exits(t, 75)
	id := listBatches(t, dir, sim)[0].Batch
	if said := batches("cancel", id); !strings.Contains(said, id+": cancelling") {
		t.Errorf("said %s", said)
	}
	var last *process
	eventually(t, "the cancelled batch is collected", func() bool {
		last = llmpipe(t, dir, args...)
		last.exits(t, 75)
		return strings.Contains(last.err.String(), "was cancelled")
	})
	if c := sim.batches(t); c.Batches != 1 {
		t.Errorf("%d batches", c.Batches)
	}
	if code := llmpipe(t, dir, args...).exit(t); code != 75 || sim.batches(t).Batches != 2 {
		t.Errorf("exit %d, %d batches", code, sim.batches(t).Batches)
	}
	id = listBatches(t, dir, sim)[1].Batch
	if said := batches("forget", id); !strings.Contains(said, id+" is given up") {
		t.Errorf("said %s", said)
	}
	if code := llmpipe(t, dir, args...).exit(t); code != 75 || sim.batches(t).Batches != 3 {
		t.Errorf("exit %d, %d batches", code, sim.batches(t).Batches)
	}
	table := batches()
	for _, want := range []string{"BATCH", "cancelled", "forgotten", "gpt-4o-mini"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	p := llmpipe(t, dir, "batches", "cancel", "batch_unheard_of", "--base-url", sim.URL)
	if code := p.exit(t); code != 1 || !strings.Contains(p.err.String(), "hint: llmpipe batches lists them") {
		t.Errorf("exit %d: %s", code, p.err.String())
	}
}

// A batch of other records is none that a run comes back for: when its own are answered, it is
// done.
func TestBatchOfOtherRecordsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=1h")
	b.on(t, hello("a", "", 5), "--mode", "batch", "--detach").exits(t, 75)
	for _, flags := range [][]string{{"hybrid"}, {"batch"}, {"hybrid", "--detach"}} {
		p := b.on(t, hello("b", urgently, 5), append([]string{"--mode"}, flags...)...)
		if code := p.exit(t); code != 0 || len(contents(t, p)) != 5 {
			t.Errorf("%v: exit %d, %d lines: %s", flags, code, len(p.lines()), p.err.String())
		}
		p.says(t, "1 batch not finished yet, with records that are not in this input")
	}
}
