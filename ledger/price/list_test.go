package price

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func models(list List) string {
	var names []string
	for _, row := range list {
		names = append(names, row.Model)
	}
	return strings.Join(names, " ")
}

func TestFamily(t *testing.T) {
	prices := Default(priceDay)
	for _, tt := range []struct{ provider, model, want string }{
		{"api.openai.com", "gpt-4o-mini-2024-07-18", "gpt-4o gpt-4o-2024-05-13"},
		{"gateway.example", "openai/gpt-4.1-mini", "gpt-4.1-nano gpt-4.1"},
		{"api.openai.com", "text-embedding-3-small", "text-embedding-ada-002 text-embedding-3-large"},
		{"api.anthropic.com", "claude-opus-4-1", "claude-haiku-4-5 claude-sonnet-4 claude-sonnet-4-5 claude-sonnet-4-6 " +
			"claude-opus-4-5 claude-opus-4-6 claude-opus-4-7 claude-opus-4-8 claude-opus-4"},
		{"api.groq.com", "openai/gpt-oss-120b", "openai/gpt-oss-20b"},
		{"api.openai.com", "no-such-model", ""},
	} {
		if got := models(prices.Family(tt.provider, tt.model)); got != tt.want {
			t.Errorf("%s:\n%s, want\n%s", tt.model, got, tt.want)
		}
	}
}

func TestFamilyOf(t *testing.T) {
	for key, want := range map[string]string{
		"gpt-4o-mini": "gpt-4o", "gpt-5-4-nano": "gpt-5", "claude-3-5-haiku": "claude-3", "claude-haiku-5-5": "claude-5",
		"gemini-3-8-flash": "gemini-3", "o3-mini": "o3", "mistral-large-2512": "mistral", "meta-llama/llama-4-scout": "llama-4", "": "",
	} {
		if got := familyOf(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}

func TestListIsSortedAndWhole(t *testing.T) {
	list := loadPrices(t, "litellm.json").List()
	seen := make(map[string]int)
	for i, row := range list {
		seen[row.Provider+" "+row.Model]++
		if i > 0 && (list[i-1].Provider > row.Provider || list[i-1].Provider == row.Provider && list[i-1].Model >= row.Model) {
			t.Errorf("%s %s stands behind %s %s", row.Provider, row.Model, list[i-1].Provider, list[i-1].Model)
		}
	}
	for _, name := range []string{"openai gpt-4o-mini", "openai gpt-9", "openrouter meta-llama/llama-9-70b", "anthropic claude-opus-5-5"} {
		if seen[name] != 1 {
			t.Errorf("%s stands there %d times", name, seen[name])
		}
	}
}

func TestPriceListAsJSON(t *testing.T) {
	prices := Default(priceDay)
	got, err := json.Marshal(prices.Family("openai", "gpt-4o-mini")[:1])
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"provider":"openai","model":"gpt-4o","family":"gpt-4o","input":2.5,"cached_input":1.25,"output":10,` +
		`"batch_input":1.25,"batch_output":5,"snapshot":"2026-06","source":"https://developers.openai.com/api/docs/pricing"}]`
	if string(got) != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	got, err = json.Marshal(Default(priceDay).Family("xai", "grok-4.6")[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"batch_input":null,"batch_output":null`,
		`"long_prompt":[{"above_tokens":199999,"input":2.5,"cached_input":0.4,"output":5}]`,
	} {
		if !strings.Contains(string(got), part) {
			t.Errorf("%s lacks %s", got, part)
		}
	}
}

func TestNamed(t *testing.T) {
	list := Default(priceDay).List()
	for _, tt := range []struct {
		names []string
		holds []string
		lacks []string
	}{
		{[]string{"claude-3-5"}, []string{"claude-3-5-haiku", "claude-3-5-sonnet"}, []string{"claude-opus-4", "gpt-4o"}},
		{[]string{"CLAUDE-3-5", "grok-3"}, []string{"claude-3-5-haiku", "grok-3-mini"}, []string{"claude-opus-4", "gpt-4o"}},
		{[]string{"mistral-code"}, []string{"codestral-2508", "devstral-2512"}, []string{"mistral-embed"}}, // a family
		{[]string{"xai"}, []string{"grok-3-mini"}, []string{"gpt-4o"}},
		{[]string{"no-such"}, nil, []string{"gpt-4o"}},
	} {
		var got []string
		for _, row := range list.Named(tt.names...) {
			got = append(got, row.Model)
		}
		for _, model := range tt.holds {
			if !slices.Contains(got, model) {
				t.Errorf("%q: %s is missing in %q", tt.names, model, got)
			}
		}
		for _, model := range tt.lacks {
			if slices.Contains(got, model) {
				t.Errorf("%q: %s is there", tt.names, model)
			}
		}
	}
}

func TestUnlisted(t *testing.T) {
	got := Default(priceDay).Unlisted()
	if !slices.Contains(got, "openrouter") || slices.Contains(got, "azure") || slices.Contains(got, "openai") {
		t.Errorf("unlisted are %q", got)
	}
}
