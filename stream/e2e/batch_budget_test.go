package e2e

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// money is what the tests below have to spend: 20 of their records fit by batch, at $0.0000222 at
// most each, and no 21st.
const money = "0.00046"

// hello is n records whose worst case costs the same, under ids that begin with name.
func hello(name, priority string, n int) string {
	return repeat(0, n-1, func(i int) string {
		return fmt.Sprintf(`{"id":"%s%03d"%s,"prompt":"say hello number %03d","max_tokens":50}`, name, i, priority, i)
	})
}

const (
	urgently = `,"priority":"urgent"`
	leisured = `,"priority":"low"`
)

// budgeted is a directory, a simulator, and a way to run the command on an input there.
type budgeted struct {
	sim *simServer
	dir string
}

func newBudgeted(t *testing.T, options string) *budgeted {
	return &budgeted{startSim(t, options), t.TempDir()}
}

// on prepares a run on input with the flags.
func (b *budgeted) on(t *testing.T, input string, flags ...string) *process {
	t.Helper()
	writeFile(t, b.dir, "in.jsonl", input)
	args := []string{"--base-url", b.sim.URL, "-m", "gpt-4o-mini", "--summary", "summary.json"}
	return llmpipe(t, b.dir, append(append(args, flags...), "in.jsonl")...)
}

// untilDone runs the same command for as long as it says that it is not finished, as cron would,
// and returns the last run.
func (b *budgeted) untilDone(t *testing.T, input string, flags ...string) *process {
	t.Helper()
	return untilDone(t, func() *process { return b.on(t, input, flags...) })
}

// untilDone makes runs and runs them, for as long as they say that they are not finished, and
// returns the last.
func untilDone(t *testing.T, next func() *process) *process {
	t.Helper()
	var last *process
	eventually(t, "the command is done", func() bool {
		last = next()
		code := last.exit(t)
		if code != 0 && code != 75 {
			t.Fatalf("exit %d: %s", code, last.err.String())
		}
		return code == 0
	})
	return last
}

// spent is what the simulator bills, in dollars, and whether that is within the money.
func (b *budgeted) spent(t *testing.T) (dollars float64, within bool) {
	t.Helper()
	now := b.sim.stats(t)
	dollars = miniPrice(now.PromptTokens, now.CompletionTokens) + miniPrice(b.sim.batches(t).tokens())/2
	var most float64
	_, _ = fmt.Sscan(money, &most)
	return dollars, dollars <= most
}

// A record for which an earlier batch holds the money waits for that batch, also when its own
// records come later in the input.
func TestBatchBudgetWaitsForAnEarlierBatch(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=300ms&output=200")
	b.on(t, hello("a", "", 20), "--mode", "batch", "--detach", "--budget", money).exits(t, 75)
	p := b.on(t, hello("b", "", 5)+hello("a", "", 20), "--mode", "batch", "--budget", money)
	p.answers(t, 25)
	if spent, within := b.spent(t); !within || b.sim.batches(t).Answered != 25 {
		t.Errorf("$%f spent on %+v", spent, b.sim.batches(t))
	}
}

// With --detach the budget cuts the work into batches that follow each other, one run after the
// other, and each run says so by 75.
func TestBatchDetachedBudget(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=300ms&output=5")
	input := hello("a", "", 25)
	flags := []string{"--mode", "batch", "--detach", "--budget", money}
	first := b.on(t, input, flags...)
	first.exits(t, 75)
	first.says(t, "batches have ended", "hint: run the same command again", "1 batch continues at the provider")
	if s := readSummary(t, b.dir); s.In > 25 || s.Unsent != s.In {
		t.Errorf("%+v", s)
	}
	eventually(t, "the batch has ended", func() bool { return listBatches(t, b.dir, b.sim)[0].State == "completed" })
	if last := b.untilDone(t, input, flags...); len(contents(t, last)) != 25 {
		t.Errorf("%d lines: %s", len(last.lines()), last.err.String())
	}
	if c := b.sim.batches(t); c.Batches != 2 || c.Answered != 25 {
		t.Errorf("the simulator counted %+v", c)
	}
}

// Urgent records for which the batches of the same run hold the money have those submitted, and
// wait for them; with --detach the run comes back, and the next goes on.
func TestHybridBudgetIsNotHeldByWhatIsNotSubmitted(t *testing.T) {
	t.Parallel()
	input := hello("low", leisured, 20) + hello("now", urgently, 40)
	t.Run("waiting", func(t *testing.T) {
		t.Parallel()
		b := newBudgeted(t, "latency=0s&batch-latency=300ms&output=1")
		p := b.on(t, input, "--mode", "hybrid", "--budget", money)
		p.answers(t, 60)
		if spent, within := b.spent(t); !within {
			t.Errorf("$%f spent", spent)
		}
	})
	t.Run("detached", func(t *testing.T) {
		t.Parallel()
		b := newBudgeted(t, "output=1&batch-latency=1s")
		flags := []string{"--mode", "hybrid", "--detach", "--budget", money}
		p := b.on(t, input, flags...)
		if code := p.exit(t); code != 75 || b.sim.batches(t).Batches == 0 {
			t.Fatalf("exit %d, %+v: %s", code, b.sim.batches(t), p.err.String())
		}
		if last := b.untilDone(t, input, flags...); len(contents(t, last)) != 60 {
			t.Errorf("%d lines: %s", len(last.lines()), last.err.String())
		}
		if spent, within := b.spent(t); !within || b.sim.stats(t).Answered != 40 || b.sim.batches(t).Answered != 20 {
			t.Errorf("$%f spent, %d and %d answered", spent, b.sim.stats(t).Answered, b.sim.batches(t).Answered)
		}
	})
}

// What a batch that was left behind may cost is not there for realtime either.
func TestRealtimeBudgetKnowsOfBatches(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=1h")
	b.on(t, hello("a", "", 20), "--mode", "batch", "--detach", "--budget", money).exits(t, 75)
	p := b.on(t, hello("b", "", 5), "--budget", money)
	if code := p.exit(t); code != 75 || b.sim.stats(t).Answered != 0 || strings.Contains(p.err.String(), "the budget is red") {
		t.Errorf("exit %d, %d answers: %s", code, b.sim.stats(t).Answered, p.err.String())
	}
	p.says(t, "hint: collect them with --mode batch")
	if p := b.on(t, hello("b", "", 5), "--budget", "1"); p.exit(t) != 0 {
		t.Errorf("with money for both: %s", p.err.String())
	}
}

// A batch that another process made since this run began is held money for from when its records
// come.
func TestBudgetKnowsOfBatchesMadeMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=300ms&output=200")
	long := llmpipe(t, b.dir, "--base-url", b.sim.URL, "-m", "gpt-4o-mini", "--mode", "hybrid", "--budget", money)
	in, err := long.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := new(transcript)
	long.Stdout = out
	long.starts(t)
	write := func(text string) {
		if _, err := io.WriteString(in, text); err != nil {
			t.Errorf("%v; said %s", err, long.err.String())
		}
	}
	write(hello("x", urgently, 1))
	eventually(t, "the run has begun", func() bool { return out.has(`"id":"x000"`) })
	b.on(t, hello("a", "", 16), "--mode", "batch", "--detach", "--budget", money).exits(t, 75)
	write(hello("x", urgently, 2)) // what it commits now comes behind what the other has written, and that is read first
	eventually(t, "it has read on", func() bool { return out.has(`"id":"x001"`) })
	write(hello("a", "", 16) + hello("b", "", 30))
	_ = in.Close()
	code := long.wait(t)
	if spent, within := b.spent(t); !within || code != 4 {
		t.Errorf("exit %d, $%f spent: %s", code, spent, long.err.String())
	}
}

// Records so large that two are more than may be held in memory are asked about one after the
// other, where the money is for one: none waits for the room of another that waits for its money.
func TestBatchBudgetWithLargeRecords(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=20ms&output=5")
	text := strings.Repeat("a", 17<<20)
	input := repeat(0, 1, func(i int) string { return fmt.Sprintf(`{"id":"r%d","prompt":"%s","max_tokens":5}`, i, text) })
	p := b.on(t, input, "--mode", "batch", "--budget", "2")
	p.answers(t, 2)
	if c := b.sim.batches(t); c.Batches != 2 {
		t.Errorf("the simulator counted %+v", c)
	}
}

// What an expired batch has left over is asked about again only with money that there is, also when
// nobody had a budget when it was made.
func TestBatchBudgetHoldsForWhatIsLeftOver(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=100ms&output=200&batch-expire=0.5&batch-expire-first=1")
	input := hello("a", "", 40)
	b.on(t, input, "--mode", "batch", "--detach").exits(t, 75)
	if l := listBatches(t, b.dir, b.sim)[0]; l.Reserved < 0.0008 || l.Reserved > 0.001 {
		t.Errorf("$%f are set aside for it", l.Reserved)
	}
	eventually(t, "the batch has ended", func() bool { return listBatches(t, b.dir, b.sim)[0].State == "expired" })
	// 20 answers cost $0.0003; the money is for six more.
	p := b.on(t, input, "--mode", "batch", "--budget", money)
	code := p.exit(t)
	if spent, within := b.spent(t); code != 4 || !within || len(contents(t, p)) <= 20 || b.sim.batches(t).Batches < 2 {
		t.Errorf("exit %d, $%f spent on %d: %s", code, spent, len(p.lines()), p.err.String())
	}
}

// A record that no budget has room for ends the run with 4, but not before the batches beside it
// are collected: until then the same command goes on.
func TestBatchDetachedBudgetWithARecordThatNeverFits(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=500ms")
	input := hello("a", "", 5) + `{"id":"dear","prompt":"a whole book","max_tokens":100000}` + "\n"
	flags := []string{"--mode", "batch", "--detach", "--budget", money}
	p := b.on(t, input, flags...)
	if code := p.exit(t); code != 75 || !strings.Contains(p.err.String(), "error: over budget") {
		t.Errorf("exit %d: %s", code, p.err.String())
	}
	eventually(t, "the batch has ended", func() bool { return listBatches(t, b.dir, b.sim)[0].State == "completed" })
	p = b.on(t, input, flags...)
	if code := p.exit(t); code != 4 || len(contents(t, p)) != 5 {
		t.Errorf("exit %d, %d lines: %s", code, len(p.lines()), p.err.String())
	}
}

// So it is when another process is at that batch: what it holds is waited for, and what it has cost
// is spent.
func TestBatchBudgetWaitsForAnotherProcess(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=1s&output=200")
	first := b.on(t, hello("a", "", 20), "--mode", "batch", "--budget", money)
	first.starts(t)
	eventually(t, "the batch is made", func() bool { return b.sim.batches(t).Batches == 1 })
	p := b.on(t, hello("b", "", 20)+hello("a", "", 20), "--mode", "batch", "--budget", money)
	code := p.exit(t)
	if spent, within := b.spent(t); code != 4 || !within || len(contents(t, p)) < 5 {
		t.Errorf("exit %d, $%f spent, %d lines: %s", code, spent, len(p.lines()), p.err.String())
	}
	if code := first.wait(t); code != 0 || len(contents(t, first)) != 20 {
		t.Errorf("exit %d, %d lines: %s", code, len(first.lines()), first.err.String())
	}
}

// A batch that is given up may have been billed: it counts as spent, at the most that it can have
// cost, also where what was billed shows that nothing else would keep the budget.
func TestForgottenBatchCountsAsSpent(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=50ms&output=200")
	input := hello("a", "", 15)
	b.on(t, input, "--mode", "batch", "--detach", "--budget", money).exits(t, 75)
	eventually(t, "the batch has ended", func() bool { return listBatches(t, b.dir, b.sim)[0].State == "completed" })
	forget := llmpipe(t, b.dir, "batches", "forget", listBatches(t, b.dir, b.sim)[0].Batch, "--base-url", b.sim.URL)
	forget.exits(t, 0)
	forget.says(t, "counts as spent on it")
	p := b.on(t, input, "--mode", "batch", "--budget", money)
	p.exits(t, 4)
	if spent, within := b.spent(t); !within || b.sim.batches(t).Answered <= 15 {
		t.Errorf("$%f spent on %+v", spent, b.sim.batches(t))
	}
	list := llmpipe(t, b.dir, "batches", "--base-url", b.sim.URL)
	list.exits(t, 0)
	if !strings.Contains(list.out.String(), "at most $0.000") {
		t.Errorf("listed as %s", list.out.String())
	}
}

// A budget that is less than the worst case cuts the input into batches that follow each other, and
// the run says beforehand how many. None but the last is of less than a hundredth of the input, as
// long as the budget has room for one, and nearly all of the budget is used where it does not do.
func TestBatchRounds(t *testing.T) {
	for name, test := range map[string]struct {
		budget string
		exit   int
		most   int // batches
		says   []string
	}{
		"just below the worst case": {"0.0555", 0, 2, []string{"about 2 batches", "hint: set max_tokens to ", " to make it one batch"}},
		"some of it":                {"0.022", 0, 8, []string{"one after the other, judging by the cost of the first ones"}},
		"less than it costs":        {"0.006", 4, 14, []string{"too little for another batch", "with --mode realtime to spend"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBudgeted(t, "latency=0s&batch-latency=20ms&output=20")
			p := b.on(t, hello("a", "", 2_500), "--mode", "batch", "--budget", test.budget)
			p.exits(t, test.exit)
			p.says(t, test.says...)
			now := b.sim.batches(t)
			spent := miniPrice(now.tokens()) / 2
			var budget float64
			_, _ = fmt.Sscan(test.budget, &budget)
			t.Logf("$%f spent in %d batches of %d", spent, now.Batches, now.Answered)
			if spent > budget || now.Batches > test.most {
				t.Errorf("$%f spent of $%s in %d batches", spent, test.budget, now.Batches)
			}
			if whole := now.Answered == 2_500; !whole && spent < 0.97*budget || whole != (test.exit == 0) {
				t.Errorf("$%f spent of $%s on %d answers", spent, test.budget, now.Answered)
			}
			for _, shard := range listBatches(t, b.dir, b.sim) {
				if shard.Requests < 25 && test.exit == 0 {
					t.Errorf("a batch of %d requests", shard.Requests)
				}
			}
		})
	}
}

// What an answer out of a batch may have cost that has no usage is spent, in this run and in those
// after it: 15 of them leave room for five of ten records, and then for none.
func TestBatchAnswersWithoutUsageCount(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.line = func(_ *oddBatch, _ int, id string) string {
		return strings.Replace(said(id), `"usage"`, `"used"`, 1)
	}
	dir := t.TempDir()
	asked := 0
	o.making = func(int) { asked++ }
	for i, want := range []struct{ exit, lines, batches int }{{0, 15, 1}, {4, 5, 2}, {4, 0, 2}} {
		p := llmpipe(t, dir, o.args("--budget", money)...)
		p.Stdin = strings.NewReader(hello(string(rune('a'+i)), "", []int{15, 10, 1}[i]))
		if code := p.exit(t); code != want.exit || len(p.lines()) != want.lines || asked != want.batches {
			t.Errorf("run %d: exit %d, %d lines, %d batches: %s", i, code, len(p.lines()), asked, p.err.String())
		}
	}
}

// What answers out of batches are billed beyond what was asked is the bound of the batches to come.
func TestBatchLearnsOverruns(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=20ms&output=300&overrun=all")
	p := b.on(t, hello("a", "", 4_000), "--mode", "batch", "--budget", "0.05")
	p.exits(t, 4)
	p.says(t, "bills more than was asked for")
	first := listBatches(t, b.dir, b.sim)[0]
	spent := miniPrice(b.sim.batches(t).tokens()) / 2
	if first.Cost == nil || spent > 0.05+*first.Cost || b.sim.batches(t).Batches > 1 {
		t.Errorf("$%f spent of $0.05 on %+v", spent, b.sim.batches(t))
	}
}
