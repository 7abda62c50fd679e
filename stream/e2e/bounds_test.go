package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBudgetHoldsForLostAnswers: half of the answers are made, and billed, and an error comes in
// their place. Each keeps its worst case, so that the bill stays within the budget.
func TestBudgetHoldsForLostAnswers(t *testing.T) {
	for _, status := range []string{"500", "502", "504"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			sim := startSim(t, "latency=1ms&output=40&seed=4&lost=0.5&lost-status="+status)
			prompts := writeBounded(t, dir, 3_000, always(60))
			llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", "32", "--budget", "0.02", prompts).exits(t, 4)
			asked := sim.stats(t)
			if bill := asked.bill(t); bill > 0.02*dollar || asked.Faults["lost"] < 100 {
				t.Errorf("%d was billed of %d, %d answers lost", bill, int64(0.02*dollar), asked.Faults["lost"])
			}
		})
	}
}

// pictureOf is a PNG in base64 that no compression makes small.
func pictureOf(t testing.TB, width, height int) string {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			picture.SetGray(x, y, color.Gray{Y: uint8(random.Uint32())})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

// TestBudgetOfImages: what images may cost is held, by URL too, and it is not so much more than
// what they cost that nothing of the budget can be used.
func TestBudgetOfImages(t *testing.T) {
	for name, test := range map[string]struct {
		url    string
		least  int64 // of the budget, in percent
		budget string
		nanos  int64
	}{
		"by URL":    {"https://example.com/cat.png", 90, "0.5", 0.5 * dollar},
		"as base64": {"data:image/png;base64," + pictureOf(t, 200, 150), 95, "0.1", 0.1 * dollar},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			sim := startSim(t, "latency=1ms&output=20&seed=6")
			prompts := writeFile(t, dir, "prompts.jsonl", repeat(1, 300, func(i int) string {
				return fmt.Sprintf(`{"id":%d,"max_tokens":50,"messages":[{"role":"user","content":[{"type":"text","text":"number %[1]d"},`+
					`{"type":"image_url","image_url":{"url":%q}}]}]}`, i, test.url)
			}))
			llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", "16", "--budget", test.budget, prompts).exits(t, 4)
			asked := sim.stats(t)
			if bill := asked.bill(t); !within(100-test.least, bill, test.nanos) {
				t.Errorf("%d was billed of %d for %d images", bill, test.nanos, asked.Answered)
			}
		})
	}
}

// TestBudgetLearnsOverruns: where answers are billed beyond what was asked, no more is spent beyond
// the budget than what one group in flight costs, and the run says what the provider does.
func TestBudgetLearnsOverruns(t *testing.T) {
	const inFlight = 16
	for name, test := range map[string]struct {
		options, model string
		maxTokens      int
		dollars        int64
		said           string
	}{
		"max_tokens ignored":   {"output=400&overrun=all", "gpt-4o-mini", 20, 1, "gpt-4o-mini bills more than was asked for"},
		"reasoning on top":     {"output=100&overrun=reasoning", "gpt-5-mini", 50, 1, "gpt-5-mini bills more than was asked for"},
		"no max_tokens at all": {"output=20000", "gpt-4o-mini", 0, 3, "its worst case is guessed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			sim := startSim(t, "latency=5ms&seed=7&"+test.options)
			bound := ""
			if test.maxTokens > 0 {
				bound = fmt.Sprintf(`,"max_tokens":%d`, test.maxTokens)
			}
			prompts := writeFile(t, dir, "prompts.jsonl", repeat(1, 6_000, func(i int) string {
				return fmt.Sprintf(`{"id":%d,"prompt":"prompt number %[1]d"%s}`, i, bound)
			}))
			p := llmpipe(t, dir, "--base-url", sim.URL, "-m", test.model, "-c", fmt.Sprint(inFlight), "--budget", fmt.Sprint(test.dollars), prompts)
			p.exits(t, 4)
			p.says(t, test.said)
			var costs []int64
			for _, line := range p.paidLines(t) {
				costs = append(costs, int64(*line.Cost))
			}
			slices.Sort(costs)
			var group int64
			for _, cost := range costs[len(costs)-inFlight:] {
				group += cost
			}
			bill, budget := sim.stats(t).bill(t), test.dollars*dollar
			t.Logf("%d billed of %d, a group costs %d at most", bill, budget, group)
			if bill > budget+group || bill < budget*9/10 {
				t.Errorf("%d was billed of %d, and a group in flight costs %d", bill, budget, group)
			}
		})
	}
}
