package e2e

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"llmpipe/ledger/price"
)

// billed is a provider that the simulator bills like.
type billed struct {
	as     string // the option
	model  string // asked for
	prices string // a file's; empty for those that are built in
	shape  string // of a record, with its number; empty for a simple one
	many   int    // records, where one is so cheap that 80 cost less than one at worst; 0 for 80
	args   []string
}

// rate is a row of a price file for a model, in billionths of a dollar a token.
func rate(model string, members string) string {
	return fmt.Sprintf(`{%q:{%s}}`, model, members)
}

const (
	marked = `{"id":%d,"messages":[{"role":"user","content":[{"type":"text","text":"prompt number %[1]d, of which some is kept for long",` +
		`"cache_control":{"type":"ephemeral","ttl":"1h"}}]}],"max_tokens":100}`
	inputs = `{"id":%d,"input":"text number %[1]d, to be embedded"}`
)

// kept is a record whose beginning is kept in the provider's cache for an hour.
var kept = `{"id":%d,"max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"` + strings.Repeat("word ", 1200) +
	`","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"prompt number %[1]d"}]}]}`

// billings are the providers, each with the model whose list price the simulator charges.
var billings = []billed{
	{as: "openai", model: "gpt-6.2-sol"},
	{as: "responses", model: "gpt-6.2-sol", args: []string{"--endpoint", "responses"},
		shape: `{"id":%d,"input":"prompt number %[1]d","max_output_tokens":100,"metadata":{"x":"cache_control"}}`},
	{as: "azure", model: "my-deployment", prices: rate("my-deployment", `"input_cost_per_token":2.5e-6,"output_cost_per_token":1e-5`)},
	{as: "anthropic", model: "claude-sonnet-4-6", shape: marked},
	{as: "anthropic", model: "claude-sonnet-4-6", shape: kept, many: 400, args: []string{"--endpoint", "messages"}},
	{as: "claude", model: "claude-sonnet-4-6"},
	{as: "gemini", model: "gemini-2.5-flash"},
	{as: "xai", model: "grok-4.7"},
	{as: "deepseek", model: "deepseek-flash",
		prices: rate("deepseek-flash", `"input_cost_per_token":3e-7,"input_cost_per_token_cache_hit":6e-9,"output_cost_per_token":1.2e-6`)},
	{as: "mistral", model: "mistral-small-2603",
		prices: rate("mistral-small-2603", `"input_cost_per_token":1.5e-7,"cache_read_input_token_cost":1.5e-8,"output_cost_per_token":6e-7`)},
	{as: "groq", model: "openai/gpt-oss-120b",
		prices: rate("openai/gpt-oss-120b", `"input_cost_per_token":1.5e-7,"cache_read_input_token_cost":7.5e-8,"output_cost_per_token":6e-7`)},
	{as: "together", model: "llama", prices: rate("llama", `"input_cost_per_token":8.8e-7,"output_cost_per_token":8.8e-7`)},
	{as: "moonshot", model: "kimi-k2.5",
		prices: rate("kimi-k2.5", `"input_cost_per_token":6e-7,"cache_read_input_token_cost":1e-7,"output_cost_per_token":3e-6`)},
	{as: "openrouter", model: "openrouter/auto", prices: rate("*", `"input_cost_per_token":7e-7,"output_cost_per_token":2.8e-6`)},
	{as: "byok", model: "some/model",
		prices: rate("*", `"input_cost_per_token":7e-7,"output_cost_per_token":2.8e-6,"input_cost_per_request":4e-5`)},
	{as: "perplexity", model: "sonar", prices: rate("sonar", `"input_cost_per_token":1e-6,"output_cost_per_token":1e-6,`+
		`"search_context_cost_per_query":{"search_context_size_low":0.005,"search_context_size_medium":0.008,"search_context_size_high":0.012}`)},
	{as: "fee", model: "sonar", prices: `[{"id":"perplexity","models":[{"id":"sonar","match":{"equals":"sonar"},` +
		`"prices":{"input_mtok":1,"output_mtok":1,"requests_kcount":12}}]}]`},
	{as: "voyage", model: "voyage-4", prices: rate("voyage-4", `"input_cost_per_token":6e-8`), args: []string{"--endpoint", "embeddings"},
		shape: inputs},
	{as: "cohere", model: "command-a", prices: rate("command-a", `"input_cost_per_token":2.5e-6,"output_cost_per_token":1e-5`)},
	{as: "qwen", model: "qwen-plus", shape: marked, prices: rate("qwen-plus",
		`"input_cost_per_token":4e-7,"cache_read_input_token_cost":4e-8,"cache_creation_input_token_cost":5e-7,"output_cost_per_token":1.2e-6`)},
	{as: "both", model: "gpt-4o"},
	{as: "audio", model: "gpt-4o-audio", prices: rate("gpt-4o-audio", `"input_cost_per_token":2.5e-6,"output_cost_per_token":1e-5,`+
		`"input_cost_per_audio_token":4e-5,"output_cost_per_audio_token":8e-5`),
		shape: `{"id":%d,"prompt":"prompt number %[1]d","max_tokens":100,"modalities":["text","audio"],"audio":{"voice":"alloy"}}`},
	{as: "openai", model: "gpt-6.2-sol", args: []string{"--set", `service_tier="flex"`}},
	{as: "openai", model: "gpt-6.2-sol", args: []string{"--set", `service_tier="priority"`}},
}

func (b *billed) String() string {
	return strings.Join(append([]string{b.as, b.model}, b.args...), " ")
}

// ask prepares a run of n records against the provider.
func (b *billed) ask(t *testing.T, sim *simServer, n int, args ...string) (p *process, dir string) {
	t.Helper()
	dir = t.TempDir()
	shape := b.shape
	if shape == "" {
		shape = `{"id":%d,"prompt":"prompt number %[1]d of the ones that are billed","max_tokens":100}`
	}
	prompts := writeFile(t, dir, "prompts.jsonl", repeat(1, n, func(i int) string { return fmt.Sprintf(shape, i) }))
	args = append(append([]string{"--base-url", sim.URL, "-m", b.model}, b.args...), args...)
	if b.prices != "" {
		args = append(args, "--prices", writeFile(t, dir, "prices.json", b.prices))
	}
	return llmpipe(t, dir, append(args, prompts)...), dir
}

// TestCostIsTheBill sums up what answers cost, and compares that with what the provider charged, to
// a billionth of a dollar.
func TestCostIsTheBill(t *testing.T) {
	t.Parallel()
	for i := range billings {
		b := &billings[i]
		t.Run(b.String(), func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, "latency=0&seed=1&bill="+b.as)
			p, dir := b.ask(t, sim, 40)
			p.exits(t, 0)
			var sum price.Dollars
			for _, line := range p.paidLines(t) {
				if line.Cost == nil {
					t.Fatalf("no cost: %s", p.lines()[0])
				}
				sum += *line.Cost
			}
			if billed := sim.stats(t).Billed; int64(sum) != billed || billed == 0 || reported(t, dir) != billed {
				t.Errorf("%s, and the provider charged %s; the report says %s", sum, price.Dollars(billed), price.Dollars(reported(t, dir)))
			}
			if strings.Contains(p.out.String(), "cost_partial") {
				t.Errorf("partial: %s", p.lines()[0])
			}
		})
	}
}

// TestBudgetHoldsHoweverIsBilled spends no more than a budget by the provider's own count, and what
// is left of it is less than one more request may cost.
func TestBudgetHoldsHoweverIsBilled(t *testing.T) {
	t.Parallel()
	for i := range billings {
		b := &billings[i]
		t.Run(b.String(), func(t *testing.T) {
			t.Parallel()
			// The budget is what half of the records cost.
			whole := startSim(t, "latency=0&seed=1&bill="+b.as)
			n := cmp.Or(b.many, 80)
			p, _ := b.ask(t, whole, n)
			p.exits(t, 0)
			budget := whole.stats(t).Billed / 2

			sim := startSim(t, "latency=0&seed=1&bill="+b.as)
			p, dir := b.ask(t, sim, n, "--budget", price.Dollars(budget).String(), "-c", "8")
			p.exits(t, 4)
			billed := sim.stats(t).Billed
			if billed > budget || billed < budget/2 || reported(t, dir) != billed {
				t.Errorf("charged %s of %s, and the report says %s: %s", price.Dollars(billed), price.Dollars(budget),
					price.Dollars(reported(t, dir)), &p.err)
			}
		})
	}
}

// TestUnsaidUsageHoldsItsWorstCase asks a provider that charges and tells nothing.
func TestUnsaidUsageHoldsItsWorstCase(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0&seed=1&bill=null")
	b := billed{as: "null", model: "gpt-4o-mini"}
	p, _ := b.ask(t, sim, 200, "--budget", "0.005", "-c", "8")
	p.exits(t, 4)
	if billed := sim.stats(t).Billed; billed == 0 || billed > 5_000_000 || !strings.Contains(p.out.String(), `"cost_usd":null,`) {
		t.Errorf("charged %s of 0.005: %s", price.Dollars(billed), &p.err)
	}
}

// TestRouterThatATableHasForNothing is refused under a budget, whatever a table says: 0 is no
// price.
func TestRouterThatATableHasForNothing(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0&bill=openrouter")
	b := billed{as: "openrouter", model: "openrouter/auto", prices: `{"openrouter/auto":{"input_cost_per_token":0,` +
		`"output_cost_per_token":0,"litellm_provider":"openrouter"},"gpt-4o":{"input_cost_per_token":1e-6}}`}
	p, _ := b.ask(t, sim, 5, "--budget", "0.01")
	p.exits(t, 1)
	p.says(t, "no price is known")
	if billed := sim.stats(t).Billed; billed != 0 {
		t.Errorf("charged %d", billed)
	}
	p, _ = b.ask(t, sim, 5)
	p.exits(t, 0)
	if billed := sim.stats(t).Billed; billed == 0 || strings.Contains(p.out.String(), `"cost_usd":0,`) {
		t.Errorf("charged %d: %s", billed, &p.out)
	}
}

// TestRegionalHostCostsMore asks a host of one region, which the proxy stands for.
func TestRegionalHostCostsMore(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0&seed=1&bill=openai")
	target, err := url.Parse(strings.TrimSuffix(sim.URL, "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	forward := forwardTo(t, sim)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Scheme, r.URL.Host = target.Scheme, target.Host
		forward.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	dir := t.TempDir()
	p := llmpipe(t, dir, "--base-url", "http://eu.api.openai.com/v1", "-m", "gpt-6.2-sol", writeBounded(t, dir, 20, always(100)))
	p.Env = append(p.Env, "HTTP_PROXY="+proxy.URL)
	p.exits(t, 0)
	// A tenth more than the simulator charges, which knows of no regions.
	if billed := sim.stats(t).Billed; billed == 0 || reported(t, dir) != billed*11/10 {
		t.Errorf("%d elsewhere, and %d there", billed, reported(t, dir))
	}
}
