package price

import (
	"strings"
	"testing"
)

// costOf is what a request costs at a provider, noPrice where there is none.
func (t *Table) costOf(provider, model string, tier Tier, tokens Tokens) string {
	price, _, ok := t.Lookup(provider, model)
	if !ok {
		return noPrice
	}
	return Dollars(price.At(tier).Cost(tokens)).String()
}

type column struct {
	provider, model string
	tier            Tier
	tokens          Tokens
	want            string
}

func checkColumns(t *testing.T, prices *Table, columns []column) {
	t.Helper()
	for _, tt := range columns {
		if got := prices.costOf(tt.provider, tt.model, tt.tier, tt.tokens); got != tt.want {
			t.Errorf("%s %s, tier %d, %+v: %s, want %s", tt.provider, tt.model, tt.tier, tt.tokens, got, tt.want)
		}
	}
}

// All that a request is billed for has its column, in either form.
func TestColumnsOfLiteLLM(t *testing.T) {
	const audio, openai, dashscope = "gpt-9-audio", "api.openai.com", "dashscope-intl.aliyuncs.com"
	checkColumns(t, loadPrices(t, "litellm.json"), []column{
		{openai, audio, Standard, Tokens{Prompt: 1100, AudioIn: 1000, Completion: 600, AudioOut: 500}, "0.08125"},
		{openai, audio, Standard, Tokens{Prompt: 1100, AudioIn: 1000, Cached: 300}, "0.03275"}, // the text is what is cached first
		{openai, audio, Standard, Tokens{Completion: 100, Reasoning: 60, ImageOut: 10}, "0.00132"},
		{openai, audio, Flex, Tokens{Prompt: 1000, AudioIn: 1000, Completion: 1000, AudioOut: 1000}, "0.06"},
		{openai, audio, Batched, Tokens{Prompt: 1000, AudioIn: 1000}, "0.02"},
		{openai, "gpt-9-tiers", Standard, Tokens{Prompt: 1000, Cached: 100, CacheWrite: 300, CacheHour: 100}, "0.00106"},
		{openai, "gpt-9-tiers", Flex, Tokens{Prompt: 1000, Completion: 100}, "0.00084"},
		{openai, "gpt-9-tiers", Priority, Tokens{Prompt: 1000, Completion: 100}, "0.004"},
		{openai, "gpt-9-tiers", Priority, Tokens{Prompt: 300_000, Completion: 100}, "1.5015"},
		{openai, "gpt-9-tiers", Flex, Tokens{Prompt: 300_000, Completion: 100}, "0.3003"},
		{openai, "gpt-9-tiers", Standard, Tokens{Prompt: 300_000, Cached: 100_000}, "0.42"},
		{openai, "gpt-9-search-preview", Standard, Tokens{Prompt: 1000}, "0.036"},
		{openai, "gpt-9-search-preview", Standard, Tokens{Prompt: 1000, Context: HighContext}, "0.051"},
		{"perplexity", "sonar", Standard, Tokens{Prompt: 1000, Completion: 1000}, "0.007"},
		{"perplexity", "sonar", Standard, Tokens{Context: HighContext, Searches: 3}, "0.036"},
		{"perplexity", "pplx-online", Standard, Tokens{Prompt: 1000, Completion: 1000}, "0.0078"},
		{"api.anthropic.com", "claude-quick-9", Priority, Tokens{Prompt: 1000}, "0.03"},
		{"openrouter.ai", "openrouter/auto", Standard, Tokens{Prompt: 1000}, noPrice},
		{"openrouter.ai", "auto", Standard, Tokens{Prompt: 1000}, noPrice},
		{"openrouter.ai", "switch/router", Standard, Tokens{Prompt: 1000}, noPrice},
		{"openrouter.ai", "meta-llama/llama-9-8b:free", Standard, Tokens{Prompt: 1000}, "0"},
		{dashscope, "qwen9-max", Standard, Tokens{Prompt: 32_000, Cached: 1000}, "0.0311"},
		{dashscope, "qwen9-max", Standard, Tokens{Prompt: 32_001}, "0.064002"},
		{dashscope, "qwen9-max", Standard, Tokens{Prompt: 128_001, Completion: 100, Reasoning: 100}, "0.386003"},
	})
}

func TestColumnsOfGenAI(t *testing.T) {
	const audio, openai = "gpt-9-audio", "api.openai.com"
	checkColumns(t, loadPrices(t, "genai.json"), []column{
		{openai, audio, Standard, Tokens{Prompt: 1100, AudioIn: 1000, Completion: 600, AudioOut: 500}, "0.08125"},
		{openai, audio, Standard, Tokens{Prompt: 1100, AudioIn: 1000, Cached: 300}, "0.03275"},
		{openai, audio, Standard, Tokens{Completion: 100, Reasoning: 60, ImageOut: 10}, "0.00132"},
		{openai, audio, Standard, Tokens{Searches: 2}, "0.02"},
		{"api.anthropic.com", "claude-sonnet-4-5", Standard, Tokens{Prompt: 1000, CacheWrite: 1000, CacheHour: 1000}, "0.006"},
		{"api.anthropic.com", "claude-sonnet-4-5", Standard, Tokens{Prompt: 300_000, CacheWrite: 1000, CacheHour: 1000}, "1.8658"},
		{"perplexity", "sonar", Standard, Tokens{Prompt: 1000, Completion: 1000}, "0.014"},
		{"localhost:8000", "perplexity/sonar", Standard, Tokens{Prompt: 1000, Completion: 1000}, "0.014"},
		{"openrouter.ai", "openrouter/auto", Standard, Tokens{Prompt: 1000}, noPrice},
	})
}

// At a host of one region the newer of OpenAI's models cost a tenth more, in every column.
func TestRegionalHosts(t *testing.T) {
	tokens := Tokens{Prompt: 1000, Completion: 100}
	checkColumns(t, Default(priceDay), []column{
		{"api.openai.com", "gpt-5.4", Standard, tokens, "0.004"},
		{"eu.api.openai.com", "gpt-5.4", Standard, tokens, "0.0044"},
		{"us.api.openai.com:443", "gpt-5.4-2026-03-05", Standard, tokens, "0.0044"},
		{"jp.api.openai.com", "gpt-6.2-sol", Standard, tokens, "0.0033"},
		{"eu.api.openai.com", "gpt-5.4", Flex, tokens, "0.0022"},
		{"eu.api.openai.com", "gpt-5.4", Batched, tokens, "0.0022"},
		{"eu.api.openai.com", "gpt-5.4", Standard, Tokens{Prompt: 300_000}, "1.65"},
		{"eu.api.openai.com", "gpt-5.2", Standard, tokens, "0.00315"},
		{"eu.api.openai.com", "gpt-5-2025-08-07", Standard, tokens, "0.00225"},
		{"eu.api.openai.com", "gpt-4o", Standard, tokens, "0.0035"},
		{"eu.api.openai.com", "o3", Standard, tokens, "0.0028"},
		{"notapi.openai.com", "gpt-5.4", Standard, tokens, "0.004"},
		{"mine.openai.azure.com", "gpt-5.4", Standard, tokens, "0.004"},
	})
	checkColumns(t, loadPrices(t, "litellm.json"), []column{
		{"eu.api.openai.com", "gpt-9", Standard, tokens, "0.00308"},
		{"eu.api.openai.com", "gpt-5-regional", Standard, tokens, "0.00168"}, // as the file says
		{"api.openai.com", "gpt-5-regional", Standard, tokens, "0.0014"},
	})
}

// A row named * is for the names that no other row has.
func TestRowForAnyModel(t *testing.T) {
	const table = `{
		"*": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
		"groq/*": {"input_cost_per_token": 3e-6, "output_cost_per_token": 4e-6, "litellm_provider": "groq"},
		"mine": {"input_cost_per_token": 5e-6, "output_cost_per_token": 6e-6}
	}`
	prices, err := Load(strings.NewReader(table), priceDay)
	if err != nil {
		t.Fatal(err)
	}
	tokens := Tokens{Prompt: 1000, Completion: 1000}
	checkColumns(t, prices, []column{
		{"localhost:8000", "my-llama", Standard, tokens, "0.003"},
		{"api.openai.com", "no-such-model", Standard, tokens, "0.003"},
		{"api.openai.com", "ft:gpt-6-sol:me::1", Standard, tokens, "0.003"},
		{"api.groq.com", "new-model", Standard, tokens, "0.007"},
		{"api.groq.com", "llama-3.1-8b-instant", Standard, tokens, "0.00013"},
		{"localhost:8000", "gpt-4o", Standard, tokens, "0.0125"},
		{"localhost:8000", "mine", Standard, tokens, "0.011"},
	})
	for model, own := range map[string]bool{"gpt-4o": false, "mine": true, "my-llama": true} {
		if prices.Own("localhost:8000", model) != own {
			t.Errorf("%s is own: %t", model, !own)
		}
	}
	if !prices.Own("mine.openai.azure.com", "gpt-4o") || Default(priceDay).Own("api.openai.com", "gpt-4o") {
		t.Error("only who rents a deployment names it")
	}
}

func TestFreePrices(t *testing.T) {
	for _, tier := range []Tier{Standard, Flex, Priority, Batched} {
		checkColumns(t, Free(), []column{{"localhost:8000", "any/model", tier, million, "0"}, {"api.openai.com", "gpt-4o", tier, million, "0"}})
	}
	price, _, _ := Free().Lookup("localhost", "m")
	if _, ok := price.BatchCost(million); !ok || price.WorstCost(million) != 0 || !price.Whole(Tokens{AudioIn: 1, Searches: 1}) {
		t.Error("something costs something")
	}
}

// A price that lacks a column says so, where a request is billed for what it is for.
func TestPricesThatAreNotWhole(t *testing.T) {
	prices := loadPrices(t, "litellm.json")
	for _, tt := range []struct {
		model  string
		tokens Tokens
		want   bool
	}{
		{"gpt-4o-mini", Tokens{Prompt: 10, Completion: 10, Cached: 5, CacheWrite: 5, Reasoning: 5}, true},
		{"gpt-4o-mini", Tokens{Prompt: 10, AudioIn: 1}, false},
		{"gpt-4o-mini", Tokens{Completion: 10, AudioOut: 1}, false},
		{"gpt-4o-mini", Tokens{Completion: 10, ImageOut: 1}, false},
		{"gpt-4o-mini", Tokens{Searches: 1}, false},
		{"gpt-9-audio", Tokens{Prompt: 10, AudioIn: 1, Completion: 5, AudioOut: 1, ImageOut: 1}, true},
		{"gpt-9-audio", Tokens{Searches: 1}, false},
		{"gpt-9-search-preview", Tokens{Searches: 1}, true},
	} {
		price, _, ok := prices.Lookup("api.openai.com", tt.model)
		if got := price.Whole(tt.tokens); !ok || got != tt.want {
			t.Errorf("%s %+v: %t", tt.model, tt.tokens, got)
		}
	}
}

// The list shows each column where a row has it.
func TestListShowsTheColumns(t *testing.T) {
	shown := make(map[string]bool)
	for _, row := range loadPrices(t, "litellm.json").List() {
		for name, is := range map[string]bool{
			"write": row.Write != nil, "hour": row.WriteHour != nil, "sound": row.AudioIn != nil && row.AudioOut != nil,
			"image":     row.ImageOut != nil,
			"reasoning": row.Reasoning != nil, "flex": row.Flex != nil, "priority": row.Priority != nil, "bands": len(row.Long) > 1,
			"request": row.Fees != nil && row.Fees.Request != nil, "search": row.Fees != nil && row.Fees.Search != nil,
		} {
			shown[name] = shown[name] || is
		}
	}
	for name, is := range shown {
		if !is {
			t.Errorf("no row shows its %s", name)
		}
	}
}

// How much a model takes in one request is in LiteLLM's table, and known of models in use.
func TestWindow(t *testing.T) {
	own, err := Load(strings.NewReader(`{"mine":{"litellm_provider":"openai","input_cost_per_token":1e-6,"output_cost_per_token":1e-6,
		"max_tokens":1000,"max_input_tokens":7000},
		"gpt-4o":{"litellm_provider":"openai","input_cost_per_token":1e-6,"max_input_tokens":null}}`), priceDay)
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]int64{
		"mine": 7000, "gpt-4o": 128_000, "gpt-4.1-mini": 1_047_576, "gpt-5-mini": 400_000, "gpt-6-sol": 0, "claude-sonnet-4-5": 1_000_000,
	} {
		if p, _, ok := own.Lookup("api.openai.com", model); !ok || p.Window != want {
			t.Errorf("%s: a window of %d (%t), want %d", model, p.Window, ok, want)
		}
	}
}
