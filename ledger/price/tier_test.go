package price

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTierOf(t *testing.T) {
	for name, want := range map[string]Tier{
		"": Standard, "default": Standard, "auto": Standard, "standard": Standard, "on_demand": Standard, "flexible": Standard,
		"flex": Flex, "FLEX": Flex, "priority": Priority, "fast": Priority, "batch": Batched,
	} {
		if got := TierOf(name); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
}

// A tier costs what the table says, or its usual part of the standard price.
func TestTierCosts(t *testing.T) {
	const table = `{
		"own": {"input_cost_per_token": 2.5e-6, "output_cost_per_token": 10e-6, "cache_read_input_token_cost": 1e-6,
			"input_cost_per_token_priority": 4.25e-6, "output_cost_per_token_priority": 17e-6, "cache_read_input_token_cost_priority": 2e-6,
			"input_cost_per_token_flex": 2e-6, "output_cost_per_token_flex": 4e-6},
		"half": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "input_cost_per_token_priority": 9e-6}
	}`
	prices, err := Load(strings.NewReader(table), priceDay)
	if err != nil {
		t.Fatal(err)
	}
	used := Tokens{Prompt: 1000, Cached: 200, Completion: 100}
	long := Tokens{Prompt: 300_000, Completion: 100}
	for _, tt := range []struct {
		provider, model string
		tier            Tier
		tokens          Tokens
		want            int64
	}{
		{"x", "own", Standard, used, 800*2500 + 200*1000 + 100*10_000},
		{"x", "own", Priority, used, 800*4250 + 200*2000 + 100*17_000},
		{"x", "own", Flex, used, 1000*2000 + 100*4000}, // no price for what is cached
		{"x", "own", Batched, used, 800*2500 + 200*1000 + 100*10_000},
		{"x", "half", Priority, used, 1000*2000 + 100*4000}, // one column of two is no price
		{"x", "half", Flex, used, 1000*500 + 100*1000},
		{"api.openai.com", "gpt-4o-mini", Flex, used, 800*75 + 200*75/2 + 100*300},
		{"api.openai.com", "gpt-4o-mini", Priority, used, 800*300 + 200*150 + 100*1200},
		{"api.openai.com", "gpt-4o-mini", Batched, used, 1000*75 + 100*300},
		{"api.openai.com", "gpt-6-sol", Flex, long, 300_000*2000 + 100*7500},
		{"api.openai.com", "gpt-6-sol", Priority, long, 300_000*8000 + 100*30_000},
		{"api.openai.com", "gpt-6-sol", Batched, long, 300_000*2000 + 100*7500},
		{"api.groq.com", "llama-3.1-8b-instant", Flex, used, 1000*50 + 100*80},
	} {
		price, _, ok := prices.Lookup(tt.provider, tt.model)
		if got := price.At(tt.tier).Cost(tt.tokens); !ok || got != tt.want {
			t.Errorf("%s at tier %d: %d, want %d", tt.model, tt.tier, got, tt.want)
		}
	}
}

// At no tier does a request cost more than its worst case at it.
func TestWorstCostOfTiers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := drawPrice(t)
		used := drawTokens(t)
		for tier := Standard; tier <= Batched; tier++ {
			if at := price.At(tier); at.Cost(used) > at.WorstCost(used) {
				t.Fatalf("tier %d: %d, and %d at worst", tier, at.Cost(used), at.WorstCost(used))
			}
		}
	})
}
