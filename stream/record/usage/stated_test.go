package usage

import "testing"

// What providers were seen to state, in their units; 0 and a word that is no number state nothing
// in the place of a number.
func TestStatedCosts(t *testing.T) {
	for _, tt := range []struct {
		name, usage string
		want        int64 // -1: none
	}{
		{"OpenRouter", `{"cost":0.0123,"cost_details":{"upstream_inference_cost":null},"is_byok":false}`, 12_300_000},
		{"OpenRouter, which shows what it pays itself",
			`{"cost":0.02,"cost_details":{"upstream_inference_cost":0.02},"is_byok":false}`, 20_000_000},
		{"OpenRouter, for nothing", `{"cost":0,"is_byok":false}`, 0},
		{"OpenRouter with a key of one's own", `{"cost":0,"is_byok":true,"cost_details":{"upstream_inference_cost":0.0360795}}`, 36_079_500},
		{"and its fee", `{"cost":0.001803975,"is_byok":true,"cost_details":{"upstream_inference_cost":0.0360795}}`, 37_883_475},
		{"of which nothing is said", `{"cost":0,"is_byok":true,"cost_details":{"upstream_inference_cost":null}}`, -1},
		{"xAI", `{"cost_in_usd_ticks":37756000}`, 3_775_600},
		{"xAI, finer than a billionth", `{"cost_in_usd_ticks":15}`, 1},
		{"Perplexity",
			`{"cost":{"input_tokens_cost":2e-05,"output_tokens_cost":0.000417,"request_cost":0.005,"total_cost":0.005437}}`, 5_437_000},
		{"Perplexity's responses", `{"cost":{"currency":"USD","input_cost":0.00001,"output_cost":0.00002,"total_cost":0.00003}}`, 30_000},
		{"in another currency", `{"cost":{"currency":"EUR","total_cost":0.00003}}`, -1},
		{"DeepInfra", `{"estimated_cost":0.00000268}`, 2680},
		{"LLM Gateway", `{"cost_usd_total":0.000125,"cost_usd_input":0.000025}`, 125_000},
		{"two spellings, one of them 0", `{"cost_usd_total":0.5,"cost":0}`, 500_000_000},
		{"with an exponent", `{"cost":2.5e-07}`, 250},
		{"null", `{"cost":null}`, -1},
		{"a string", `{"cost":"0.5"}`, -1},
		{"below zero", `{"cost":-1}`, -1},
		{"absurd", `{"cost":1e30}`, -1},
		{"ticks that overflow", `{"cost_in_usd_ticks":1e300}`, -1},
		{"parts without their sum", `{"cost":{"input_tokens_cost":1}}`, -1},
		{"none", `{"prompt_tokens":1}`, -1},
	} {
		u := Read([]byte(tt.usage), false)
		got := u.Stated.Nanos
		if !u.HasStated {
			got = -1
		}
		if got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestParseCost(t *testing.T) {
	for text, want := range map[string]int64{
		"0.000123": 123_000, "1.5e-05": 15_000, "0.0": 0, "": -1, "None": -1, "-1": -1, "0x1p-3": -1, "1e9": -1,
	} {
		cost, ok := ParseCost(text)
		if !ok {
			cost.Nanos = -1
		}
		if cost.Nanos != want {
			t.Errorf("%q: %d, want %d", text, cost.Nanos, want)
		}
	}
}

// What is not text is billed apart, and so are searches; each provider has its place for them.
func TestUsageBeyondText(t *testing.T) {
	for _, tt := range []struct {
		name, usage string
		want        Usage
	}{
		{"OpenAI's sound", `{"prompt_tokens":1100,"completion_tokens":600,"total_tokens":1700,` +
			`"prompt_tokens_details":{"audio_tokens":1000,"cached_tokens":0},"completion_tokens_details":{"audio_tokens":500,"reasoning_tokens":0}}`,
			Usage{Counts: Counts{Prompt: 1100, Completion: 600, Total: 1700, AudioIn: 1000, AudioOut: 500}, Counted: true}},
		{"images", `{"prompt_tokens":300,"completion_tokens":1300,"prompt_tokens_details":{"image_tokens":258},` +
			`"completion_tokens_details":{"image_tokens":1290}}`,
			Usage{Counts: Counts{Prompt: 300, Completion: 1300, Total: 1600, ImageIn: 258, ImageOut: 1290}, Counted: true}},
		{"Anthropic's searches", `{"input_tokens":10,"output_tokens":5,"server_tool_use":{"web_search_requests":2}}`,
			Usage{Counts: Counts{Prompt: 10, Completion: 5, Total: 15, Searches: 2}, Counted: true}},
		{"Perplexity's searches",
			`{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"search_context_size":"low","num_search_queries":3}`,
			Usage{Counts: Counts{Prompt: 10, Completion: 5, Total: 15, Searches: 3}, Counted: true, Context: []byte(`"low"`)}},
		{"Mistral's seconds of sound", `{"prompt_audio_seconds":7,"prompt_tokens":10,"total_tokens":12,"completion_tokens":2}`,
			Usage{Counts: Counts{Prompt: 10, Completion: 2, Total: 12}, Counted: true, Uncounted: true}},
		{"Mistral without sound",
			`{"prompt_audio_seconds":0,"prompt_tokens":10,"completion_tokens":2,"prompt_token_details":{"cached_tokens":4}}`,
			Usage{Counts: Counts{Prompt: 10, Completion: 2, Total: 12, Cached: 4}, Counted: true}},
		{"Cohere's billed units", `{"billed_units":{"input_tokens":17,"output_tokens":3},"tokens":{"input_tokens":90,"output_tokens":4}}`,
			Usage{Counts: Counts{Prompt: 17, Completion: 3, Total: 20}, Counted: true}},
	} {
		got := Read([]byte(tt.usage), false)
		if got.Counts != tt.want.Counts || got.Counted != tt.want.Counted || got.Uncounted != tt.want.Uncounted ||
			string(got.Context) != string(tt.want.Context) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// What is finer than a billionth is kept, and what a float makes of a decimal is not.
func TestStatedCostsAreFine(t *testing.T) {
	for usage, want := range map[string]Cost{
		`{"cost_in_usd_ticks":15}`:        {1, 500_000},
		`{"cost":0.0123}`:                 {12_300_000, 0},
		`{"cost":0.00360795}`:             {3_607_950, 0},
		`{"cost":0.000000001234567}`:      {1, 234_567},
		`{"cost":1.9999999999999998e-06}`: {2000, 0},
	} {
		if got := Read([]byte(usage), false); got.Stated != want || !got.HasStated {
			t.Errorf("%s: %+v", usage, got.Stated)
		}
	}
}
