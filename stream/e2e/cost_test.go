package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestCosts adds up what a run says of money in all the places where it does: in every line, in the
// summary, in the ledger, and at the provider. Records that come twice cost once, wherever the
// second one meets the first.
func TestCosts(t *testing.T) {
	t.Parallel()
	const records = 400
	dir := t.TempDir()
	sim := startSim(t, "latency=2ms&output=40&seed=3&truncate=0.1")
	var input strings.Builder
	line := func(i int) string { return fmt.Sprintf(`{"id":%d,"prompt":"prompt number %d"}`+"\n", i, i) }
	for i := range records {
		input.WriteString(line(i) + line(i/2) + line(i)) // soon after each other, and long after
	}
	for run := range 2 {
		p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini-2024-07-18", "-c", "16", "--summary", "summary.json")
		p.Stdin = strings.NewReader(input.String())
		p.exits(t, 0)
		var sum int64
		seen := make(map[string]bool)
		lines := p.paidLines(t)
		for _, line := range lines {
			cost := line.Usage.Prompt*150 + line.Usage.Completion*600
			if seen[string(line.ID)] {
				cost = 0
			}
			seen[string(line.ID)] = true
			if line.Cost == nil || int64(*line.Cost) != cost && int64(*line.Cost) != 0 {
				t.Fatalf("run %d: %+v, want a cost of %d", run, line, cost)
			}
			sum += int64(*line.Cost)
		}
		asked := sim.stats(t)
		m := asked.Models["gpt-4o-mini-2024-07-18"]
		charged := m.PromptTokens*150 + m.CompletionTokens*600
		if len(lines) != 3*records || asked.Answered != records || sum != charged || reported(t, dir) != charged {
			t.Errorf("run %d: %d lines cost %d; the provider charged %d for %d answers, the report says %d",
				run, len(lines), sum, charged, asked.Answered, reported(t, dir))
		}
		want := []int64{charged, 0}[run]
		if s := readSummary(t, dir); s.Cost == nil || int64(*s.Cost) != want {
			t.Errorf("run %d: summary %+v, want a cost of %d", run, s, want)
		}
	}
}

// TestCachedAndReasoningTokens prices an answer whose prompt was cached in part and whose
// completion is thought for the most part.
func TestCachedAndReasoningTokens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		answerWith(w, `"usage":{"prompt_tokens":2000,"completion_tokens":1000,"total_tokens":3000,`+
			`"prompt_tokens_details":{"cached_tokens":1024},"completion_tokens_details":{"reasoning_tokens":960}}`)
	})
	p := llmpipe(t, dir, "--base-url", b.URL, "-m", "o3-mini")
	p.Stdin = strings.NewReader(`"think"`)
	p.exits(t, 0)
	// 976 * 1.10 + 1024 * 0.55 + 1000 * 4.40 dollars a million.
	if want := `"cost_usd":0.0060368,`; !strings.Contains(p.out.String(), want) {
		t.Errorf("said %s, want %s", &p.out, want)
	}
}

// TestFailuresThatCost counts what a provider charges for an answer that is none.
func TestFailuresThatCost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const usage = `"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}`
	b := newBackend(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
		if n <= 2 {
			_, _ = w.Write([]byte(`{"choices":[],` + usage + `}`))
			return
		}
		answerWith(w, usage)
	})
	run := func(want string) {
		t.Helper()
		p := llmpipe(t, dir, "--base-url", b.URL, "-m", "gpt-4o-mini", "--retries", "1", "--summary", "summary.json")
		p.Stdin = strings.NewReader(`{"id":"a","prompt":"hello"}`)
		p.exit(t)
		if s := readSummary(t, dir); !strings.Contains(p.out.String(), want) || s.Cost == nil || !strings.Contains(want, s.Cost.String()) {
			t.Errorf("said %s, summary %+v, want %s", &p.out, s, want)
		}
	}
	run(`"cost_usd":0.000009`) // two attempts
	run(`"cost_usd":0.0000045`)
	if sum := reported(t, dir); sum != 13_500 {
		t.Errorf("the report says %d, want 13500", sum)
	}
}

// TestUnknownPrices runs without a price, and with prices from files in both formats.
func TestUnknownPrices(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"litellm.json": `{"house-model":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":1e-6,"output_cost_per_token":2e-6}}`,
		"genai.json": `[{"id":"openai","name":"OpenAI","api_pattern":"https://api\\.openai\\.com","models":[{"id":"house-model",` +
			`"match":{"equals":"house-model"},"prices":{"input_mtok":1,"output_mtok":2}}]}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			prices := writeFile(t, dir, name, content)
			prompts := writeBounded(t, dir, 50, always(100))
			sim := startSim(t, "latency=1ms&output=40")
			run := func(args ...string) (*process, int) {
				p := llmpipe(t, dir, append([]string{"--base-url", sim.URL, "-m", "house-model", "--summary", "summary.json", prompts}, args...)...)
				return p, p.exit(t)
			}

			p, code := run("--budget", "5")
			said := p.err.String()
			if code != 1 || p.out.Len() > 0 || sim.stats(t).Requests != 0 ||
				!strings.Contains(said, `no price is known for the model "house-model", so the budget cannot hold`) ||
				!strings.Contains(said, "hint: --prices FILE adds it") {
				t.Errorf("with a budget: exit code %d, %d requests, %s", code, sim.stats(t).Requests, said)
			}
			p, code = run("-m", "gpt-4o-mini", "--budget", "5", "--downgrade-to", "house-model")
			if code != 1 || sim.stats(t).Requests != 0 || !strings.Contains(p.err.String(), "--downgrade-to: no price is known") {
				t.Errorf("to downgrade to: exit code %d, %d requests, %s", code, sim.stats(t).Requests, &p.err)
			}

			p, code = run("--no-ledger")
			if n := strings.Count(p.err.String(), `no price is known for "house-model": its cost_usd is null`); code != 0 || n != 1 {
				t.Errorf("without a budget: exit code %d, said %d times: %s", code, n, &p.err)
			}
			for _, line := range p.paidLines(t) {
				if line.Cost != nil {
					t.Errorf("%+v has a cost", line)
				}
			}
			if s := readSummary(t, dir); s.Cost != nil {
				t.Errorf("the summary has a cost: %+v", s)
			}

			p, code = run("--budget", "5", "--prices", prices)
			if code != 0 {
				t.Fatalf("with %s: exit code %d: %s", name, code, &p.err)
			}
			var sum int64
			for _, line := range p.paidLines(t) {
				if want := line.Usage.Prompt*1_000 + line.Usage.Completion*2_000; line.Cost == nil || int64(*line.Cost) != want {
					t.Fatalf("with %s: %+v, want a cost of %d", name, line, want)
				}
				sum += int64(*line.Cost)
			}
			if s := readSummary(t, dir); s.Cost == nil || int64(*s.Cost) != sum || sum == 0 || reported(t, dir) != sum {
				t.Errorf("with %s: summary %+v, report %d, the lines cost %d", name, s, reported(t, dir), sum)
			}
		})
	}
}
