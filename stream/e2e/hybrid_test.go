package e2e

import (
	"fmt"
	"testing"
)

// Urgent records are answered at once and all others by batch: one output, one ledger, each paid
// for at its price.
func TestHybrid(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=400ms")
	dir := t.TempDir()
	input := repeat(0, 99, func(i int) string {
		priority := []string{`"priority":"high",`, `"priority":"urgent",`, `"priority":"low",`, ""}[i%4]
		return fmt.Sprintf(`{"id":"r%d",%s"prompt":"number %[1]d"}`, i, priority)
	})
	input += `{"id":"r0","priority":"low","prompt":"number 0"}` + "\n" + `{"id":"r3","priority":"high","prompt":"number 3"}` + "\n"
	writeFile(t, dir, "in.jsonl", input)
	for _, ordered := range []bool{false, true} {
		args := []string{"--base-url", sim.URL, "-m", "gpt-4o-mini", "--mode", "hybrid", "in.jsonl"}
		if ordered {
			args = append(args, "--ordered")
		}
		p := llmpipe(t, dir, args...)
		p.exits(t, 0)
		results := p.results(t)
		if len(results) != 102 {
			t.Errorf("%d lines", len(results))
		}
		for i, r := range results {
			if r.Content == nil {
				t.Errorf("%s: %+v", r.ID, r.Error)
			}
			if want := fmt.Sprintf(`"r%d"`, i); ordered && i < 100 && string(r.ID) != want {
				t.Errorf("line %d has id %s", i+1, r.ID)
			}
		}
	}
	now, later := sim.stats(t), sim.batches(t)
	if now.Answered != 50 || later.Answered != 50 || later.Batches != 1 {
		t.Errorf("%d answered at once, %d by %d batches", now.Answered, later.Answered, later.Batches)
	}
	report := llmpipe(t, dir, "export")
	if code := report.exit(t); code != 0 || len(report.lines()) != 100 {
		t.Errorf("exit %d, %d results are recorded", code, len(report.lines()))
	}
}

// One budget holds for both ways: a shard is cut to what it has room for, and the next is submitted
// when the first has cost less.
func TestHybridBudget(t *testing.T) {
	t.Parallel()
	const records = 600
	sim := startSim(t, "latency=0s&batch-latency=50ms&output=10")
	dir := t.TempDir()
	name := writeFile(t, dir, "in.jsonl", repeat(0, records-1, func(i int) string {
		priority := ""
		if i%10 == 0 {
			priority = `"priority":"high",`
		}
		return fmt.Sprintf(`{"id":"r%d",%s"prompt":"number %[1]d","max_tokens":200}`, i, priority)
	}))
	// A worst case is about $0.00008 by batch, and an answer costs about a tenth of that.
	const budget = 0.005
	p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "--mode", "hybrid", "--budget", fmt.Sprint(budget),
		"--summary", "summary.json", name)
	code := p.exit(t)
	later := sim.batches(t)
	if later.Batches < 3 {
		t.Errorf("%d batches: none was cut to the budget\n%s", later.Batches, p.err.String())
	}
	now := sim.stats(t)
	spent := miniPrice(now.PromptTokens, now.CompletionTokens) + miniPrice(sim.batches(t).tokens())/2
	if spent > budget {
		t.Errorf("spent $%f of $%f", spent, budget)
	}
	s := readSummary(t, dir)
	switch {
	case code == 4 && s.Unsent > 0 && spent > 0.9*budget:
	case code == 0 && s.OK == records:
	default:
		t.Errorf("exit %d with $%f of $%f spent, %+v\n%s", code, spent, budget, s, p.err.String())
	}
}

// miniPrice is what gpt-4o-mini costs at once, in dollars: 0.15 and 0.60 a million tokens.
func miniPrice(prompt, completion int64) float64 {
	return (float64(prompt)*0.15 + float64(completion)*0.6) / 1e6
}

// With --detach the batches are not waited for, and the urgent records are.
func TestHybridDetachedAnswersWhatIsUrgent(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=50ms&batch-latency=1h")
	p := b.on(t, hello("low", leisured, 3)+hello("now", urgently, 30), "--mode", "hybrid", "--detach", "-c", "1")
	if code := p.exit(t); code != 75 || len(contents(t, p)) != 30 || b.sim.batches(t).Batches != 1 {
		t.Errorf("exit %d, %d lines: %s", code, len(p.lines()), p.err.String())
	}
}
