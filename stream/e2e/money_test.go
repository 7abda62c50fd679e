package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"llmpipe/ledger/price"
	"llmpipe/ledger/report"
)

// listPrices are what OpenAI asks for a token of the prompt and of the completion, in billionths of
// a dollar. They stand here once more, beside the table that is built in, so that the tests reckon
// by themselves.
var listPrices = map[string][2]int64{
	"gpt-4o-mini": {150, 600},
	"gpt-4o":      {2_500, 10_000},
	"gpt-5-mini":  {250, 2_000},

	"text-embedding-3-small": {20, 0},
}

// dollar is a dollar's worth of the unit of all sums below.
const dollar = 1_000_000_000

// bill is what a provider charges for all that it has answered, by its own count. By batch it is
// half the price.
func (c simCounts) bill(t testing.TB) int64 {
	t.Helper()
	return c.Models.bill(t) + c.Batch.Models.bill(t)/2
}

// bill is that at the price of what is not in a batch.
func (c modelCounts) bill(t testing.TB) (sum int64) {
	t.Helper()
	for model, m := range c {
		list, ok := listPrices[model]
		if !ok {
			t.Fatalf("no list price of %s", model)
		}
		sum += m.PromptTokens*list[0] + m.CompletionTokens*list[1]
	}
	return sum
}

// writeBounded writes a file of n simple records with the ids 1 to n, each of which says the most
// tokens that it wants back, and returns its name.
func writeBounded(t testing.TB, dir string, n int, maxTokens func(i int) int) string {
	t.Helper()
	return writeFile(t, dir, "prompts.jsonl", repeat(1, n, func(i int) string {
		return fmt.Sprintf(`{"id":%d,"prompt":"prompt number %[1]d","max_tokens":%d}`, i, maxTokens(i))
	}))
}

// always is a max_tokens that all records have.
func always(n int) func(int) int { return func(int) int { return n } }

// paid is a line of output, as far as it is about money.
type paid struct {
	ID    json.RawMessage `json:"id"`
	Model string          `json:"model"`
	From  string          `json:"downgraded_from"`
	Usage struct {
		Prompt     int64 `json:"prompt_tokens"`
		Completion int64 `json:"completion_tokens"`
	} `json:"usage"`
	Cost  *price.Dollars  `json:"cost_usd"`
	Error json.RawMessage `json:"error"`
}

// paidLines parses p's output.
func (p *process) paidLines(t testing.TB) []paid {
	t.Helper()
	var lines []paid
	for _, text := range p.lines() {
		var line paid
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if !strings.Contains(text, `"cost_usd":`) && line.Error == nil {
			t.Errorf("no cost_usd in %s", text)
		}
		lines = append(lines, line)
	}
	return lines
}

// reported is what `llmpipe report` says that everything in dir's ledger cost.
func reported(t testing.TB, dir string) int64 {
	t.Helper()
	sums, err := report.New(report.Options{}, filepath.Join(dir, "llmpipe.ledger.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if sums.Total.Cost == nil {
		t.Fatal("the report knows no cost")
	}
	return int64(*sums.Total.Cost)
}

// within reports whether sum lies between bound less percent of it, and bound.
func within(percent, sum, bound int64) bool { return sum <= bound && sum*100 >= bound*(100-percent) }
