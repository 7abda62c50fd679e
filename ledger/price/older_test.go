package price

import (
	"strings"
	"testing"
	"time"
)

func TestOlder(t *testing.T) {
	before, after := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	lite := func(input string) string {
		return `{"gpt-4o-mini":{"litellm_provider":"openai","input_cost_per_token":` + input +
			`,"cache_read_input_token_cost":7.5e-8,"output_cost_per_token":6e-7},` +
			`"house-model":{"litellm_provider":"openai","input_cost_per_token":1e-6,"output_cost_per_token":1e-6}}`
	}
	genAI := func(checked string) string {
		return `[{"id":"openai","models":[{"id":"gpt-4o-mini","match":{"equals":"gpt-4o-mini"}` + checked +
			`,"prices":{"input_mtok":9,"output_mtok":9}}]}]`
	}
	for name, tt := range map[string]struct {
		file    string
		written time.Time
		want    int
	}{
		"another price, an old file":   {lite("9e-7"), before, 1},
		"another price, a new file":    {lite("9e-7"), after, 0},
		"the same price, an old file":  {lite("1.5e-7"), before, 0},
		"a row checked long ago":       {genAI(`,"prices_checked":"2025-07-04"`), after, 1},
		"a row checked since":          {genAI(`,"prices_checked":"2026-10-01"`), before, 0},
		"a row without a day, old":     {genAI(""), before, 1},
		"a row without a day, younger": {genAI(""), after, 0},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := Load(strings.NewReader(tt.file), after)
			if err != nil {
				t.Fatal(err)
			}
			n, newest := table.Older(tt.written)
			if n != tt.want || n > 0 && newest != "2026-06" {
				t.Errorf("%d are older, up to %s; want %d", n, newest, tt.want)
			}
			if price, _, _ := table.Lookup("openai", "gpt-4o-mini"); n > 0 && price.Cost(Tokens{Prompt: 1_000_000}) == 150e6 {
				t.Error("the file's price does not hold")
			}
		})
	}
	if n, _ := Default(after).Older(before); n != 0 {
		t.Errorf("without a file %d are older", n)
	}
}
