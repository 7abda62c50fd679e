package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// TestDowngrade sends what comes after four fifths of the budget to a cheaper model, and then, with
// more money, the rest to the dear one.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	const (
		records, inFlight = 3_000, 16
		budget            = 0.75 * dollar // 1,500 answers of the dear model are 80 % of it; more than the cheap one can use up
		worst             = 120*10_000 + 110*2_500
	)
	dir := t.TempDir()
	prompts := writeBounded(t, dir, records, always(120))
	sim := startSim(t, "latency=2ms&output=40&seed=3")
	run := func(dollars string) *process {
		return llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o", "-c", strconv.Itoa(inFlight), "--budget", dollars,
			"--downgrade-to", "gpt-4o-mini", "--summary", "summary.json", "--ordered", prompts)
	}
	p := run("0.75")
	p.exits(t, 0)
	asked, s := sim.stats(t), readSummary(t, dir)
	dear, cheap := asked.Models["gpt-4o"], asked.Models["gpt-4o-mini"]
	t.Logf("%d requests to the dear model, %d to the cheap one, from line %d on; %d of %d spent",
		dear.Answered, cheap.Answered, s.DowngradedAt, asked.bill(t), int64(budget))
	if s.DowngradedAt != dear.Answered+1 || dear.Answered+cheap.Answered != records || asked.Requests != records ||
		cheap.Answered < records/10 {
		t.Errorf("%d and %d requests, the cheap ones from line %d on", dear.Answered, cheap.Answered, s.DowngradedAt)
	}
	yellow := dear.PromptTokens*2_500 + dear.CompletionTokens*10_000
	if yellow < budget*8/10 || yellow > budget*8/10+(inFlight+1)*worst {
		t.Errorf("the dear model was left after %d of %d", yellow, int64(budget))
	}
	said := p.err.String()
	for _, want := range []string{
		"the budget is yellow: ",
		fmt.Sprintf("from line %d (id %d) on, new requests go to gpt-4o-mini", s.DowngradedAt, s.DowngradedAt),
		fmt.Sprintf("; by the cheaper model from line %d on", s.DowngradedAt),
	} {
		if strings.Count(said, want) != 1 {
			t.Errorf("%q is not said once: %s", want, said)
		}
	}
	lines := p.paidLines(t)
	checkDowngraded(t, lines, s.DowngradedAt, records+1)

	// The same records cost nothing more, and are what they were.
	first := p.out.String()
	p = run("0.75")
	if code := p.exit(t); code != 0 || p.out.String() != first || sim.stats(t).Requests != records {
		t.Errorf("asked once more: exit code %d, %d requests: %s", code, sim.stats(t).Requests, &p.err)
	}

	// With more records and more money the dear model is back, and what the cheap one has answered
	// is not asked again.
	writeBounded(t, dir, records+200, always(120))
	p = run("50")
	p.exits(t, 0)
	asked = sim.stats(t)
	if asked.Models["gpt-4o-mini"].Answered != cheap.Answered || asked.Models["gpt-4o"].Answered != dear.Answered+200 {
		t.Errorf("then %+v", asked.Models)
	}
	checkDowngraded(t, p.paidLines(t), s.DowngradedAt, records+1)
}

// checkDowngraded checks that of lines, in the order of their ids, those from the line called from
// on, but not from the line called to on, say that they were downgraded, and that each costs what
// its model costs.
func checkDowngraded(t *testing.T, lines []paid, from, to int) {
	t.Helper()
	for i, line := range lines {
		model, asked := "gpt-4o", ""
		if i+1 >= from && i+1 < to {
			model, asked = "gpt-4o-mini", "gpt-4o"
		}
		cost := line.Usage.Prompt*listPrices[model][0] + line.Usage.Completion*listPrices[model][1]
		if string(line.ID) != strconv.Itoa(i+1) || line.Model != model || line.From != asked || line.Cost == nil || int64(*line.Cost) != cost {
			t.Fatalf("line %d: %+v, want model %s, downgraded from %q, cost %d", i+1, line, model, asked, cost)
		}
	}
}

// TestDowngradeToADearerModel: what costs no less is no way to save, and that is said.
func TestDowngradeToADearerModel(t *testing.T) {
	t.Parallel()
	const records = 300
	dir := t.TempDir()
	sim := startSim(t, "latency=1ms&output=40&seed=3")
	p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", "8", "--budget", "0.007", "--downgrade-to", "gpt-4o",
		writeBounded(t, dir, records, always(120)))
	if code := p.exit(t); code != 0 && code != 4 {
		t.Fatalf("exit code %d: %s", code, &p.err)
	}
	if n := sim.stats(t).Models["gpt-4o"].Answered; n != 0 {
		t.Errorf("%d requests to the dear model", n)
	}
	if said := p.err.String(); !strings.Contains(said, "budget is yellow") ||
		strings.Count(said, "warning: --downgrade-to gpt-4o does not cost less than gpt-4o-mini, so gpt-4o-mini stays in use") != 1 {
		t.Errorf("said %s", said)
	}
}
