package price

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

const noPrice = "-"

func lookedUp(p *Table, provider, model string) string {
	if _, name, ok := p.Lookup(provider, model); ok {
		return name
	}
	return noPrice
}

func TestLookup(t *testing.T) {
	prices := Default(priceDay)
	const openAI, groq, azure, unheard = "api.openai.com", "api.groq.com", "mine.openai.azure.com", "gateway.example:8443"
	for _, tt := range []struct{ provider, model, want string }{
		{openAI, "gpt-4o-mini", "gpt-4o-mini"},
		{"openai", "gpt-4o-mini", "gpt-4o-mini"},
		{"api.openai.com:443", "gpt-4o-mini", "gpt-4o-mini"},
		{"API.OpenAI.com", "GPT-4o-mini", "gpt-4o-mini"},
		{openAI, "gpt-4-1-nano", "gpt-4.1-nano"},

		// Snapshots.
		{openAI, "gpt-4o-mini-2024-07-18", "gpt-4o-mini"},
		{openAI, "gpt-4o-2024-08-06", "gpt-4o"},
		{openAI, "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"}, // which has another price
		{openAI, "gpt-6.1-sol-2026-09-29", "gpt-6.1-sol"},
		{openAI, "gpt-4-0613", "gpt-4"},
		{openAI, "gpt-4-0125-preview", "gpt-4-turbo"},
		{openAI, "gpt-3.5-turbo-0125", "gpt-3.5-turbo"},
		{openAI, "gpt-3.5-turbo-1106", "gpt-3.5-turbo-1106"},
		{openAI, "o1-2024-12-17", "o1"},
		{openAI, "text-embedding-ada-002", "text-embedding-ada-002"},
		{"api.anthropic.com", "claude-3-5-haiku-20241022", "claude-3-5-haiku"},
		{"api.anthropic.com", "claude-3-7-sonnet-latest", "claude-3-7-sonnet"},
		{"api.anthropic.com", "claude-opus-4-20250514", "claude-opus-4"},
		{"api.anthropic.com", "claude-opus-4-1-20250805", "claude-opus-4-1"},
		{"us-east5-aiplatform.googleapis.com", "claude-haiku-4-5@20251001", "claude-haiku-4-5"},
		{"generativelanguage.googleapis.com", "gemini-2.0-flash-001", "gemini-2.0-flash"},
		{"generativelanguage.googleapis.com", "models/gemini-2.5-pro", "gemini-2.5-pro"},
		{"generativelanguage.googleapis.com", "gemini-embedding-001", "gemini-embedding-001"},
		{"api.x.ai", "grok-4-0709", "grok-4"},
		{"api.cohere.ai", "command-r-plus-08-2024", "command-r-plus-08-2024"},

		// Never another family's, nor that of a name that is only the beginning.
		{openAI, "gpt-4o-mini-audio-preview", noPrice},
		{openAI, "gpt-4o-realtime-preview-2024-12-17", noPrice},
		{openAI, "gpt-4o-", noPrice},
		{openAI, "gpt-4o-mini-", noPrice},
		{openAI, "gpt-4ominous", noPrice},
		{openAI, "gpt", noPrice},
		{openAI, "", noPrice},
		{openAI, "-latest", noPrice},
		{openAI, "gpt-6.9-sol", noPrice},
		{"api.anthropic.com", "claude-opus-4-9", noPrice},
		{"generativelanguage.googleapis.com", "gemini-embedding-002", noPrice},
		{"api.mistral.ai", "mistral-large-2402", noPrice},
		{"api.mistral.ai", "mistral-large-5", noPrice},

		// Fine-tuned models have prices of their own, and none is better than the base model's.
		{openAI, "ft:gpt-4o-mini-2024-07-18:acme::abc123", "ft:gpt-4o-mini"},
		{openAI, "ft:gpt-4o-2024-08-06:acme:name:abc123", "ft:gpt-4o"},
		{openAI, "ft:gpt-5:acme::abc123", noPrice},
		{openAI, "ft:", noPrice},
		{azure, "gpt-4o-mini-2024-07-18.ft-0123456789abcdef", "ft:gpt-4o-mini"},

		// The names of other hosts, and hosts of other names.
		{azure, "gpt-35-turbo", "gpt-3.5-turbo"},
		{azure, "gpt-4o-mini", "gpt-4o-mini"},
		{azure, "my-deployment", noPrice},
		{unheard, "gpt-4o-mini-2024-07-18", "gpt-4o-mini"},
		{unheard, "claude-sonnet-4.5", "claude-sonnet-4-5"},
		{"", "gemini-2.5-flash", "gemini-2.5-flash"},
		{"openrouter.ai", "openai/gpt-4o-mini", "gpt-4o-mini"},
		{"openrouter.ai", "anthropic/claude-opus-4.1", "claude-opus-4-1"},
		{"openrouter.ai", "x-ai/grok-4.7", "grok-4.7"},
		{unheard, "openrouter/openai/gpt-4o", "gpt-4o"},
		{"openrouter.ai", "openai/gpt-4o-mini:free", noPrice},
		{"openrouter.ai", "acme/gpt-4o-mini", noPrice},

		// What anybody may serve has the price of its host, or none.
		{groq, "openai/gpt-oss-120b", "openai/gpt-oss-120b"},
		{groq, "llama-3.3-70b-versatile", "llama-3.3-70b-versatile"},
		{unheard, "openai/gpt-oss-120b", noPrice},
		{unheard, "llama-3.3-70b-versatile", noPrice},
		{unheard, "mistral-medium-3.5", noPrice},
		{"notgroq.com", "llama-3.3-70b-versatile", noPrice},
	} {
		if got := lookedUp(prices, tt.provider, tt.model); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.provider, tt.model, got, tt.want)
		}
		if again := lookedUp(prices, tt.provider, tt.model); again != tt.want {
			t.Errorf("%s %s: %s at the second time", tt.provider, tt.model, again)
		}
	}
}

// Every name of the table is found at its provider, and has a price that can be one.
func TestDefaultPricesAreInOrder(t *testing.T) {
	prices := Default(priceDay)
	for _, row := range prices.List() {
		price, name, ok := prices.Lookup(row.Provider, row.Model)
		if !ok || name != row.Model {
			t.Errorf("%s %s: found %q", row.Provider, row.Model, name)
		}
		standard, batch := price.Bands[0].Rates[Standard], price.Bands[0].Rates[Batched]
		for _, r := range []Rates{standard, batch, price.Bands[len(price.Bands)-1].Rates[Standard]} {
			if r.Cached > r.Input || r.CacheWrite > 0 && r.CacheWrite < r.Input || r.CacheWrite > 2*r.Input {
				t.Errorf("%s: odd prices of cached tokens: %+v", row.Model, r)
			}
		}
		embedding := strings.Contains(row.Model, "embed") || row.Provider == "voyage"
		if row.Input == 0 || embedding != (row.Output == 0) || !embedding && row.Output < row.Input {
			t.Errorf("%s: odd prices: %s, %s", row.Model, row.Input, row.Output)
		}
		if price.HasBatch && (batch.Input > standard.Input || batch.Output > standard.Output) {
			t.Errorf("%s: a batch is dearer", row.Model)
		}
		if row.Snapshot == "" || !strings.HasPrefix(row.Source, "https://") {
			t.Errorf("%s: from %q on %q", row.Model, row.Source, row.Snapshot)
		}
	}
}

func TestAnnouncedPricesHoldFromTheirDayOn(t *testing.T) {
	for _, tt := range []struct{ day, model, want string }{
		{"2026-12-31T23:59:59Z", "gemini-3.8-flash", "0.75"},
		{"2027-01-01T00:00:00Z", "gemini-3.8-flash", "1.5"},
		{"2027-01-01T00:30:00+01:00", "gemini-3.8-flash", "0.75"},
		{"2026-11-21T12:00:00Z", "gpt-5.6", "4"},
		{"2026-11-22T12:00:00Z", "gpt-5.6", "5"},
	} {
		day, err := time.Parse(time.RFC3339, tt.day)
		if err != nil {
			t.Fatal(err)
		}
		price, _, _ := Default(day).Lookup("", tt.model)
		if got := price.Bands[0].Rates[Standard].Input.String(); got != tt.want {
			t.Errorf("%s on %s: %s, want %s", tt.model, tt.day, got, tt.want)
		}
	}
}

func TestLookupAllocatesNothingTheSecondTime(t *testing.T) {
	prices := Default(priceDay)
	for _, model := range []string{"gpt-4o-mini-2024-07-18", "no-such-model"} {
		if n := testing.AllocsPerRun(100, func() {
			price, _, _ := prices.Lookup("api.openai.com", model)
			price.Cost(Tokens{Prompt: 12, Completion: 20})
		}); n != 0 {
			t.Errorf("%s: %v allocations", model, n)
		}
	}
}

// Records name models as they like, from many goroutines; what is remembered has a bound.
func TestLookupRemembersABoundedNumber(t *testing.T) {
	prices := Default(priceDay)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				if got := lookedUp(prices, "api.openai.com", fmt.Sprintf("model-%d-%d", g, i)); got != noPrice {
					t.Errorf("a price for nothing: %s", got)
				}
				if got := lookedUp(prices, "api.openai.com", "gpt-4o"); got != "gpt-4o" {
					t.Errorf("gpt-4o: %s", got)
				}
			}
		})
	}
	wg.Wait()
	if got := lookedUp(prices, "api.openai.com", strings.Repeat("m", maxRecentBytes)); got != noPrice {
		t.Errorf("a price for nothing: %s", got)
	}
	for query := range *prices.recent.Load() {
		if len(query.model) >= maxRecentBytes {
			t.Errorf("a name of %d bytes remembered", len(query.model))
		}
	}
	if n := len(*prices.recent.Load()); n > maxRecent {
		t.Errorf("%d answers remembered", n)
	}
}
