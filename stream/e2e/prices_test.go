package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// whatAnswered answers as a model, with a usage of 1,000 tokens of the prompt and 100 of output.
func whatAnswered(model string) func(int64, http.ResponseWriter, *http.Request) {
	return func(_ int64, w http.ResponseWriter, _ *http.Request) {
		answerWith(w, fmt.Sprintf(`"model":%q,"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}`, model))
	}
}

const oneShort = `{"id":1,"prompt":"p","max_tokens":100}` + "\n"

// costs runs one record, and checks its exit code and its cost.
func (p *process) costs(t *testing.T, exit int, cost string) {
	t.Helper()
	p.Stdin = strings.NewReader(oneShort)
	p.exits(t, exit)
	if want := `"cost_usd":` + cost + `,`; cost != "" && !strings.Contains(p.out.String(), want) {
		t.Errorf("%s, want %s", &p.out, want)
	}
}

// TestPricesOfNamesOfOnesOwn asks for names that no list has: what they cost is what the model does
// that answers, and what a budget holds before that is what --prices says.
func TestPricesOfNamesOfOnesOwn(t *testing.T) {
	t.Parallel()
	const mine = `{"*":{"input_cost_per_token":1e-6,"output_cost_per_token":2e-6},` +
		`"mine":{"input_cost_per_token":3e-6,"output_cost_per_token":4e-6}}`
	for name, tt := range map[string]struct {
		model, answers, prices string
		budget                 bool
		exit                   int
		cost                   string
	}{
		"no budget":                {"my-deployment", "gpt-4o-2024-08-06", "", false, 0, "0.0035"},
		"a budget, and no price":   {"my-deployment", "gpt-4o-2024-08-06", "", true, 1, ""},
		"a budget, and its price":  {"mine", "gpt-4o-2024-08-06", mine, true, 0, "0.0035"},
		"a budget, and any price":  {"my-deployment", "gpt-4o-2024-08-06", mine, true, 0, "0.0035"},
		"a name that answers":      {"mine", "mine", mine, true, 0, "0.0034"},
		"a name that nobody knows": {"my-llama", "my-llama", mine, true, 0, "0.0012"},
		"free":                     {"my-llama", "my-llama", "free", true, 0, "0"},
		"a listed name, free":      {"gpt-4o", "gpt-4o-2024-08-06", "free", false, 0, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			args := []string{"--base-url", newBackend(t, whatAnswered(tt.answers)).URL, "-m", tt.model}
			if tt.prices == "free" {
				args = append(args, "--prices", "free")
			} else if tt.prices != "" {
				args = append(args, "--prices", writeFile(t, dir, "prices.json", tt.prices))
			}
			if tt.budget {
				args = append(args, "--budget", "1")
			}
			p := llmpipe(t, dir, args...)
			p.costs(t, tt.exit, tt.cost)
			if tt.exit == 1 {
				p.says(t, "no price is known", "--prices")
			}
		})
	}
}

// TestDeploymentIsBudgetedByWhatAnswers asks a name that --prices takes to be cheap, and that a dear
// model answers: from the first answer on the budget reckons with that one.
func TestDeploymentIsBudgetedByWhatAnswers(t *testing.T) {
	t.Parallel()
	const budget, bill = int64(0.1 * dollar), 1000*2500 + 100*10_000
	dir := t.TempDir()
	long := strings.Repeat("word ", 999)
	prompts := writeFile(t, dir, "prompts.jsonl", repeat(1, 60, func(i int) string {
		return fmt.Sprintf(`{"id":%d,"prompt":%q,"max_tokens":100}`, i, long)
	}))
	prices := writeFile(t, dir, "prices.json", `{"*":{"input_cost_per_token":2.5e-6,"output_cost_per_token":1e-8}}`)
	b := newBackend(t, whatAnswered("gpt-4o-2024-11-20"))
	p := llmpipe(t, dir, "--base-url", b.URL, "-m", "mine", "--prices", prices, "-c", "4", "--budget", "0.1", prompts)
	p.exits(t, 4)
	if billed := b.asked.Load() * bill; billed > budget || reported(t, dir) != billed {
		t.Errorf("the provider billed %d of %d, and the report says %d: %s", billed, budget, reported(t, dir), &p.err)
	}
}

// TestServerOfThisMachineCostsWhatIsListed says once that a listed name costs what its list says.
func TestServerOfThisMachineCostsWhatIsListed(t *testing.T) {
	t.Parallel()
	b := newBackend(t, whatAnswered("gpt-4o"))
	p := llmpipe(t, t.TempDir(), "--base-url", b.URL, "-m", "gpt-4o", "--no-ledger")
	p.Stdin = strings.NewReader(numbered(1, 5))
	p.exits(t, 0)
	if got := strings.Count(p.err.String(), "--prices free"); got != 1 || !strings.Contains(p.out.String(), `"cost_usd":0.0035,`) {
		t.Errorf("said %d times: %s", got, &p.err)
	}
}

// TestGatewayStatesTheCost reads the cost out of the header of LiteLLM's proxy, which says 0 where it
// knows no price.
func TestGatewayStatesTheCost(t *testing.T) {
	t.Parallel()
	for header, cost := range map[string]string{"0.00123": "0.00123", "1.5e-05": "0.000015", "0.0": "0.0035", "None": "0.0035"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			b := newBackend(t, func(n int64, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Litellm-Response-Cost", header)
				whatAnswered("gpt-4o")(n, w, r)
			})
			llmpipe(t, dir, "--base-url", b.URL, "-m", "gpt-4o").costs(t, 0, cost)
			stated := strings.Contains(readFile(t, dir, "llmpipe.ledger.jsonl"), `"cost_stated":true`)
			if want := cost != "0.0035"; stated != want {
				t.Errorf("the ledger says that it was stated: %t", stated)
			}
			if reported(t, dir) == 0 {
				t.Error("the report has no cost")
			}
		})
	}
}

// TestPartialCostIsSaid marks a cost that lacks what there is no price of, also when it is recalled
// and exported, and warns a budget of it once.
func TestPartialCostIsSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		answerWith(w, `"usage":{"prompt_tokens":1000,"completion_tokens":100,"completion_tokens_details":{"audio_tokens":50}}`)
	})
	prompts := writeBounded(t, dir, 4, always(100))
	const want = `"cost_usd":0.0035,"cost_partial":true,`
	for _, warnings := range []int{1, 0} {
		p := llmpipe(t, dir, "--base-url", b.URL, "-m", "gpt-4o", "--budget", "1", "-c", "1", prompts)
		p.exits(t, 0)
		if got := strings.Count(p.out.String(), want); got != 4 {
			t.Errorf("%d of 4 lines say so: %s", got, &p.out)
		}
		if got := strings.Count(p.err.String(), "cost_partial"); b.asked.Load() != 4 || got != warnings {
			t.Errorf("said %d times: %s", got, &p.err)
		}
	}
	p := llmpipe(t, dir, "export", "llmpipe.ledger.jsonl")
	p.exits(t, 0)
	if got := strings.Count(p.out.String(), want); got != 4 {
		t.Errorf("%d of 4 exported lines say so: %s", got, &p.out)
	}
}

// TestFractionsOfABillionthAddUp bills answers that each cost 2.8 billionths: their sum is the
// bill.
func TestFractionsOfABillionthAddUp(t *testing.T) {
	t.Parallel()
	const answers, bill = 250, 250 * 28 / 10
	dir := t.TempDir()
	prices := writeFile(t, dir, "prices.json", `{"m":{"input_cost_per_token":1.4e-7,"cache_read_input_token_cost":2.8e-9}}`)
	b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		answerWith(w, `"usage":{"prompt_tokens":1,"completion_tokens":0,"total_tokens":1,"prompt_cache_hit_tokens":1}`)
	})
	p := llmpipe(t, dir, "--base-url", b.URL, "-m", "m", "--prices", prices, writePrompts(t, dir, answers))
	p.exits(t, 0)
	if got := reported(t, dir); got != bill {
		t.Errorf("%d billionths, and the provider charged %d", got, bill)
	}
}
