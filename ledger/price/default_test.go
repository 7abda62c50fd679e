package price

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDefaultRows holds what every built-in row must have: a day, a source, and prices that no band
// or cache makes nonsense of.
func TestDefaultRows(t *testing.T) {
	day := regexp.MustCompile(`^\d{4}-\d{2}(-\d{2})?$`)
	list := Default(time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)).List()
	if len(list) < 150 {
		t.Errorf("there are only %d rows", len(list))
	}
	for i := range list {
		row := &list[i]
		name := row.Provider + " " + row.Model
		if !day.MatchString(row.Snapshot) {
			t.Errorf("%s was read on %q", name, row.Snapshot)
		}
		if !strings.HasPrefix(row.Source, "https://") {
			t.Errorf("%s was read at %q", name, row.Source)
		}
		if row.Input <= 0 || row.Cached <= 0 || row.Cached > row.Input {
			t.Errorf("%s costs %s, and cached %s", name, row.Input, row.Cached)
		}
		for j := range row.Long {
			if long := &row.Long[j]; long.Input < row.Input || long.Cached < row.Cached || long.Output < row.Output {
				t.Errorf("%s costs less where a prompt has more than %d tokens", name, long.Above)
			}
		}
		if row.BatchInput != nil && *row.BatchInput > row.Input {
			t.Errorf("%s costs more in a batch", name)
		}
	}
}

// TestDefaultPrices looks at rows of which a name, a band, a day or a batch is not the usual one.
func TestDefaultPrices(t *testing.T) {
	on := func(year int, month time.Month, day int) *Table {
		return Default(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
	}
	today := on(2026, 11, 28)
	million := Tokens{Prompt: 1_000_000, Completion: 1_000_000}
	short := Tokens{Prompt: 100_000, Completion: 100_000}
	for _, tt := range []struct {
		table           *Table
		provider, model string
		tokens          Tokens
		want            string
	}{
		{today, "openai", "gpt-6.1-terra", short, "0.6"},
		{today, "openai", "gpt-6.1-terra", million, "9.5"},
		{today, "openai", "gpt-audio", Tokens{Prompt: 1_000_000, AudioIn: 1_000_000, Completion: 1_000_000, AudioOut: 500_000}, "69"},
		{on(2026, 11, 21), "openai", "gpt-5.6-sol", short, "2.4"},
		{today, "openai", "gpt-5.6-sol", short, "3.5"},
		{today, "xai", "grok-4.5", Tokens{Prompt: 100_000, Cached: 100_000}, "0.03"},
		{today, "xai", "grok-4.20-0309-reasoning", short, "0.375"},
		{today, "deepseek", "deepseek-v4-flash", million, "1.5"},
		{today, "moonshot", "kimi-k3.1-pro", Tokens{Prompt: 1_000_000, CacheWrite: 1_000_000}, "2"},
		{today, "mistral", "mistral-medium-latest", million, "9"},
		{today, "mistral", "ministral-8b-latest", million, "0.3"},
		{today, "api.z.ai", "GLM-5.3", million, "5.8"},
		{today, "dashscope", "qwen3.7-plus", million, "8"},
		{today, "google", "gemini-2.5-flash", Tokens{Prompt: 1_000_000, AudioIn: 1_000_000}, "1"},
	} {
		price, _, ok := tt.table.Lookup(tt.provider, tt.model)
		if !ok {
			t.Errorf("%s %s has no price", tt.provider, tt.model)
			continue
		}
		if got := Dollars(price.Cost(tt.tokens)).String(); got != tt.want {
			t.Errorf("%s %s costs %s, want %s", tt.provider, tt.model, got, tt.want)
		}
	}
	if price, _, _ := today.Lookup("openai", "gpt-audio-mini"); price.HasBatch {
		t.Error("gpt-audio-mini has a price for batches")
	}
}
