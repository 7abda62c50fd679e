package price

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

func loadPrices(t *testing.T, name string) *Table {
	t.Helper()
	f, err := os.Open("../../testdata/prices/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	prices, err := Load(f, priceDay)
	if err != nil {
		t.Fatal(err)
	}
	return prices
}

type loadedPrice struct {
	provider, model string
	name            string // noPrice: none
	tokens          Tokens
	cost            string
	batch           string // in a batch, or noPrice
}

func (tt *loadedPrice) check(t *testing.T, prices *Table) {
	t.Helper()
	price, name, ok := prices.Lookup(tt.provider, tt.model)
	if !ok {
		name = noPrice
	}
	if name != tt.name {
		t.Errorf("%s %s: %s, want %s", tt.provider, tt.model, name, tt.name)
	}
	if !ok {
		return
	}
	if got := Dollars(price.Cost(tt.tokens)).String(); got != tt.cost {
		t.Errorf("%s: $%s, want %s", tt.model, got, tt.cost)
	}
	batch := noPrice
	if nanos, ok := price.BatchCost(tt.tokens); ok {
		batch = Dollars(nanos).String()
	}
	if batch != tt.batch {
		t.Errorf("%s in a batch: $%s, want %s", tt.model, batch, tt.batch)
	}
}

var million = Tokens{Prompt: 1e6, Completion: 1e6}

func TestLoadPricesOfLiteLLM(t *testing.T) {
	prices := loadPrices(t, "litellm.json")
	for _, tt := range []loadedPrice{
		{"api.openai.com", "gpt-4o-mini", "gpt-4o-mini", million, "0.8", "0.44"},
		{"api.openai.com", "gpt-4o-mini-2024-07-18", "gpt-4o-mini", Tokens{Prompt: 1e6, Cached: 1e6}, "0.08", "0.09"},
		{"mine.openai.azure.com", "gpt-4o-mini", "gpt-4o-mini", million, "0.8", "0.44"},
		{"api.openai.com", "gpt-9", "gpt-9", million, "10", "5"}, // with the provider's reduction
		{"api.openai.com", "text-embedding-9", "text-embedding-9", Tokens{Prompt: 1e6}, "0.02", "0.01"},
		{"api.groq.com", "llama-9-8b-instant", "llama-9-8b-instant", million, "0.13", "0.065"},
		{"google", "gemini-2.5-pro", "gemini-2.5-pro", Tokens{Prompt: 200_000, Completion: 1e6}, "11.26", "5.63"},
		{"google", "gemini-2.5-pro", "gemini-2.5-pro", Tokens{Prompt: 200_001, Cached: 200_001}, "0.05200026", "0.2600013"},
		{"openrouter.ai", "meta-llama/llama-9-70b", "meta-llama/llama-9-70b", million, "0.7", noPrice},
		{"openrouter.ai", "meta-llama/llama-9-70b", "meta-llama/llama-9-70b", Tokens{Completion: 1e6, Reasoning: 4e5}, "0.44", noPrice},
		{"gateway.example", "meta-llama/llama-9-70b", noPrice, Tokens{}, "", ""},
		{"api.openai.com", "dall-e-3", noPrice, Tokens{}, "", ""},
		{"api.openai.com", "sample_spec", noPrice, Tokens{}, "", ""},
		{"api.openai.com", "gpt-4o", "gpt-4o", million, "12.5", "6.25"}, // not in the file
	} {
		tt.check(t, prices)
	}
}

func TestLoadPricesOfGenAI(t *testing.T) {
	prices := loadPrices(t, "genai.json")
	for _, tt := range []loadedPrice{
		{"api.openai.com", "gpt-4o-mini-2024-07-18", "gpt-4o-mini", million, "0.8", "0.4"},
		{"api.openai.com", "gpt-9", "gpt-9", million, "10", "5"}, // the price since June 2026
		{"api.openai.com", "gpt-9-turbo-plus", "gpt-9", million, "10", "5"},
		{"api.openai.com", "gpt-9-plus", noPrice, Tokens{}, "", ""},
		{"api.openai.com", "gpt-8-nano", "gpt-8", million, "16", "8"},
		{"api.openai.com", "gpt-8-mini", noPrice, Tokens{}, "", ""},
		{"api.openai.com", "gpt-7", noPrice, Tokens{}, "", ""}, // an expression that Go does not know
		{"api.openai.com", "whisper-9", noPrice, Tokens{}, "", ""},
		{"api.openai.com", "gpt-oss-9b", "gpt-oss-9b", million, "0.17", "0.085"},
		{"gateway.example", "gpt-oss-9b", noPrice, Tokens{}, "", ""}, // open to everybody
		{"gateway.example", "openai/gpt-oss-9b", noPrice, Tokens{}, "", ""},
		{"api.anthropic.com", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5", Tokens{Prompt: 200_000}, "0.62", "0.31"},
		{"api.anthropic.com", "claude-sonnet-4.5", "claude-sonnet-4-5", Tokens{Prompt: 200_001}, "1.2400062", "0.6200031"},
		{"api.anthropic.com", "claude-3-5-haiku", "claude-3-5-haiku-latest", million, "5.4", "2.7"}, // instead of the one built in
		{"api.deepseek.com", "deepseek-chat", "deepseek-chat", million, "1.37", noPrice},            // the dearer hours
		{"novel", "novel-1", "novel-1", million, "0.006425", noPrice},
		{"api.openai.com", "gpt-4o", "gpt-4o", million, "12.5", "6.25"}, // not in the file
	} {
		tt.check(t, prices)
	}
	if list := prices.Family("openai", "gpt-4o"); len(list) != 2 || list[0].Model != "gpt-4o-mini" || list[0].Snapshot != "2026-05-04" {
		t.Errorf("the family of gpt-4o: %+v", list)
	}
}

// Somebody's own few lines, of models that the table has and has not.
func TestLoadPricesThatNameNoProvider(t *testing.T) {
	const table = `{
		"gpt-4o": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
		"ft:gpt-4o-2024-08-06": {"input_cost_per_token": 3e-6, "output_cost_per_token": 4e-6, "litellm_provider": "openai"},
		"my-llama": {"input_cost_per_token": 5e-6, "output_cost_per_token": 6e-6},
		"command-a": {"input_cost_per_token": 7e-6, "output_cost_per_token": 8e-6}
	}`
	prices, err := Load(strings.NewReader(table), priceDay)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []loadedPrice{
		{"api.openai.com", "gpt-4o-2024-11-20", "gpt-4o", million, "3", "1.5"},
		{"mine.openai.azure.com", "gpt-4o", "gpt-4o", million, "3", "1.5"},
		{"api.openai.com", "ft:gpt-4o-2024-11-20:acme::id", "ft:gpt-4o-2024-08-06", million, "7", "3.5"},
		{"localhost:8000", "my-llama", "my-llama", million, "11", noPrice},
		{"api.groq.com", "my-llama", "my-llama", million, "11", noPrice},
		{"localhost:8000", "command-a", "command-a", million, "15", noPrice}, // which others may serve, too
		{"api.cohere.com", "command-a", "command-a", million, "15", noPrice},
	} {
		tt.check(t, prices)
	}
}

// Writes to the cache have rates of their own, or the usual ones; a long prompt's are no lower.
func TestLoadPricesOfCacheWrites(t *testing.T) {
	const table = `{
		"own": {"input_cost_per_token": 1e-6, "cache_creation_input_token_cost": 3e-6, "cache_creation_input_token_cost_above_1hr": 4e-6},
		"usual": {"input_cost_per_token": 1e-6},
		"long": {"input_cost_per_token": 1e-6, "cache_creation_input_token_cost": 1.2e-6, "input_cost_per_token_above_1k_tokens": 2e-6}
	}`
	prices, err := Load(strings.NewReader(table), priceDay)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []loadedPrice{
		{"x", "own", "own", Tokens{Prompt: 1000, CacheWrite: 300, CacheHour: 100}, "0.0017", noPrice},
		{"x", "usual", "usual", Tokens{Prompt: 1000, CacheWrite: 300, CacheHour: 100}, "0.00115", noPrice},
		{"x", "long", "long", Tokens{Prompt: 1000, CacheWrite: 1000}, "0.0012", noPrice},
		{"x", "long", "long", Tokens{Prompt: 2000, CacheWrite: 1000}, "0.0045", noPrice},
	} {
		tt.check(t, prices)
	}
}

func TestLoadPricesRefuses(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name  string
		table io.Reader
		want  string
	}{
		{"nothing", strings.NewReader(""), "neither LiteLLM's"},
		{"a word", strings.NewReader("prices"), "neither LiteLLM's"},
		{"an empty object", strings.NewReader("{}"), "no token prices"},
		{"an empty array", strings.NewReader("\ufeff []"), "no token prices"},
		{"another table", strings.NewReader(`{"gpt-4o":{"input":2.5},"n":1,"list":[]}`), "no token prices"},
		{"half a table", strings.NewReader(`{"gpt-4o":{"input_cost_per_token":1e-6`), "unexpected end"},
		{"half an array", strings.NewReader(`[{"id":"openai"`), "unexpected end"},
		{"a negative price", strings.NewReader(`{"gpt-4o":{"input_cost_per_token":-1e-6}}`), `gpt-4o: "-1e-6" is not a price`},
		{"the unit of the other", strings.NewReader(`{"gpt-4o":{"input_cost_per_token":2.5}}`), `gpt-4o: "2.5" is not a price`},
		{"an odd price", strings.NewReader(`[{"id":"a","models":[{"id":"m","prices":{"input_mtok":"x"}}]}]`), "a m: "},
		{"odd prices", strings.NewReader(`[{"id":"a","models":[{"id":"m","prices":[{"prices":{"input_mtok":-3}}]}]}]`),
			`a m: "-3" is not a price`},
		{"a reader that fails", iotest.ErrReader(broken), "reading prices: broken"},
	} {
		prices, err := Load(tt.table, priceDay)
		if err == nil || prices != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func FuzzLoadPrices(f *testing.F) {
	for _, name := range []string{"litellm.json", "genai.json"} {
		seed, err := os.ReadFile("../../testdata/prices/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(seed))
	}
	f.Fuzz(func(t *testing.T, table string) {
		prices, err := Load(strings.NewReader(table), priceDay)
		if err != nil {
			return
		}
		for _, row := range prices.List() {
			price, _, ok := prices.Lookup(row.Provider, row.Model)
			if ok && price.Cost(Tokens{Prompt: 1e9, Cached: 1e6, Completion: 1e9}) < 0 {
				t.Errorf("%s costs less than nothing", row.Model)
			}
		}
	})
}
