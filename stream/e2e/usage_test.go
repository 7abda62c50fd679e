package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"llmpipe/ledger/price"
)

// TestCostsOfRecordedUsage prices usage as providers were seen to write it, each row at the list
// price of a model whose provider bills so.
func TestCostsOfRecordedUsage(t *testing.T) {
	t.Parallel()
	rows := []struct{ model, members, cost string }{
		// 1,000 of 2.5 in and 100 of 10 out.
		{"gpt-4o", `"service_tier":"default","usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}`, "0.0035"},
		{"gpt-4o", `"service_tier":"flex","usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}`, "0.00175"},
		{"gpt-4o", `"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100},"service_tier":"priority"`, "0.007"},
		{"gpt-4o", `"service_tier":"batch","usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}`, "0.00175"},
		{"gpt-4o", `"service_tier":null,"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}`, "0.0035"},
		{"claude-sonnet-4-6", `"usage":{"input_tokens":1000,"output_tokens":100,"service_tier":"batch"}`, "0.00225"},
		{"claude-sonnet-4-6", `"usage":{"input_tokens":1000,"output_tokens":100,"service_tier":"standard"}`, "0.0045"},
		{"claude-opus-4-6", `"usage":{"input_tokens":1000,"output_tokens":100,"service_tier":"standard","speed":"fast"}`, "0.045"},
		{"claude-opus-4-8", `"usage":{"input_tokens":1000,"output_tokens":100,"speed":"fast","service_tier":"standard"}`, "0.015"},
		{"gpt-5.5", `"service_tier":"fast","usage":{"prompt_tokens":1000,"completion_tokens":100}`, "0.02"},
		// 32 of 0.4 dollars a million in, 9 and 94 of 1.6 out.
		{"gpt-4.1-mini", `"usage":{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,` +
			`"completion_tokens_details":{"reasoning_tokens":94}}`, "0.0001776"},
		// 1,000 of 2.5 in, 400 of them of 1.25, and 500 of 10 out.
		{"gpt-4o", `"usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500,"prompt_tokens_details":{"cached_tokens":400},` +
			`"input_tokens":0,"output_tokens":0,"input_tokens_details":null}`, "0.007"},
		{"gpt-4o", `"usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500,"cached_tokens":400}`, "0.007"},
		{"gpt-4o", `"usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500,"prompt_cache_hit_tokens":400}`, "0.007"},
		// 100 of 3 in, 50 read for 0.3, 148 written for 3.75 and 100 for 6, 503 of 15 out.
		{"claude-sonnet-4-6", `"usage":{"input_tokens":100,"cache_creation_input_tokens":248,"cache_read_input_tokens":50,` +
			`"cache_creation":{"ephemeral_5m_input_tokens":148,"ephemeral_1h_input_tokens":100},"output_tokens":503}`, "0.009015"},
		// 200 of 2 in, 300 read for 0.1, 1,500 written for 2.5, and 10 of 10 out.
		{"gpt-6.2-sol", `"usage":{"prompt_tokens":2000,"completion_tokens":10,"total_tokens":2010,` +
			`"prompt_tokens_details":{"cached_tokens":300,"cache_write_tokens":1500}}`, "0.00428"},
		// No rate of its own: 1.25 times 2.5.
		{"gpt-4o", `"usage":{"prompt_tokens":1000,"completion_tokens":0,"total_tokens":1000,"prompt_tokens_details":{"cache_write_tokens":1000}}`,
			"0.003125"},
		// What the provider states wins, also where no price is known; but for a 0 where one is.
		{"gpt-4o", `"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"cost":0.0123}`, "0.0123"},
		{"somebody/new", `"usage":{"prompt_tokens":1000,"completion_tokens":100,"cost_in_usd_ticks":37756000}`, "0.0037756"},
		{"somebody/new", `"usage":{"prompt_tokens":"9","cost":{"request_cost":0.005,"total_cost":0.0051}}`, "0.0051"},
		{"somebody/new:free", `"usage":{"prompt_tokens":1000,"completion_tokens":100,"cost":0,"is_byok":false}`, "0"},
		{"gpt-4o", `"usage":{"prompt_tokens":1000,"completion_tokens":100,"cost":0}`, "0.0035"},
		{"somebody/new", `"usage":{"prompt_tokens":1000,"completion_tokens":100,"cost":-1}`, "null"},
		// What is billed and has no price makes the cost a lower bound.
		{"gpt-4o", `"usage":{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"audio_tokens":9}}`,
			`0.0035,"cost_partial":true`},
		{"claude-sonnet-4-6", `"usage":{"input_tokens":1000,"output_tokens":100,"server_tool_use":{"web_search_requests":2}}`,
			"0.0245"}, // and two searches of the web, of 0.01 each
		{"gpt-4o", `"usage":{"prompt_tokens":1000,"completion_tokens":100,"num_search_queries":2}`, `0.0035,"cost_partial":true`},
		// A name that no list has costs what the model does that answered.
		{"my-deployment", `"model":"gpt-4o-2024-08-06","usage":{"prompt_tokens":1000,"completion_tokens":100}`, "0.0035"},
		{"my-deployment", `"model":"my-deployment","usage":{"prompt_tokens":1000,"completion_tokens":100}`, "null"},
		// The usage is in the choice, and the one beside it is there twice and says nothing.
		{"gpt-4o", `"choices":[{"message":{"content":"x"},"finish_reason":"stop","usage":{"prompt_tokens":1000,"completion_tokens":100}}],` +
			`"usage":{"prompt_tokens":null}`, "0.0035"},
		{"gpt-4o", `"usage":{"prompt_tokens":null,"completion_tokens":null,"total_tokens":null}`, "null"},
		{"gpt-4o", `"usage":{"prompt_tokens":"10","completion_tokens":"5","total_tokens":"15"}`, "null"},
		{"gpt-4o", `"usage":{"prompt_tokens":10,"completion_tokens":1e12}`, "null"},
	}
	var input strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&input, `{"id":%d,"model":%q,"prompt":"p"}`+"\n", i, row.model)
	}
	b := newBackend(t, func(n int64, w http.ResponseWriter, _ *http.Request) { answerWith(w, rows[n-1].members) })
	p := llmpipe(t, t.TempDir(), "--base-url", b.URL, "-c", "1")
	p.Stdin = strings.NewReader(input.String())
	p.exits(t, 0)
	lines := p.lines()
	if len(lines) != len(rows) {
		t.Fatalf("%d lines for %d records: %s", len(lines), len(rows), &p.err)
	}
	for i, row := range rows {
		if want := `"cost_usd":` + row.cost + `,`; !strings.Contains(lines[i], want) {
			t.Errorf("%s %s:\nsaid %s, want %s", row.model, row.members, lines[i], want)
		}
	}
}

// TestUsageNobodyCanReadHoldsTheBudget asks a provider that bills, and does not say how much: each
// answer counts as its worst case, in this run and the next.
func TestUsageNobodyCanReadHoldsTheBudget(t *testing.T) {
	t.Parallel()
	for name, usage := range map[string]string{
		"nothing": `"x":1`,
		"null":    `"usage":{"prompt_tokens":null,"completion_tokens":null,"total_tokens":null}`,
		"zero":    `"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`,
		"strings": `"usage":{"prompt_tokens":"9","completion_tokens":"100","total_tokens":"109"}`,
		"absurd":  `"usage":{"prompt_tokens":9,"completion_tokens":99999999999999}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const budget, bill = 0.001 * dollar, 9*150 + 100*600
			dir := t.TempDir()
			prompts := writeBounded(t, dir, 50, always(100))
			b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { answerWith(w, usage) })
			for range 2 {
				p := llmpipe(t, dir, "--base-url", b.URL, "-m", "gpt-4o-mini", "-c", "4", "--budget", "0.001", prompts)
				p.exit(t)
				asked := b.asked.Load()
				if billed := price.Dollars(asked * bill); asked < 5 || billed > budget {
					t.Fatalf("%d requests were billed %s of %s: %s", asked, billed, price.Dollars(budget), &p.err)
				}
			}
		})
	}
}

// TestTierAskedForIsBudgeted asks for a tier of a provider that bills it, says so or not, and bills
// some other: the budget holds, and is spent but for what no further request can be had for.
func TestTierAskedForIsBudgeted(t *testing.T) {
	t.Parallel()
	const budget, bill, percent = int64(0.01 * dollar), 9*150 + 100*600, 100
	for name, tier := range map[string]struct {
		asked, answered string
		bills           int64 // percent of the standard price
	}{
		"flex":              {"flex", `"service_tier":"flex",`, 50},
		"flex, not given":   {"flex", `"service_tier":"default",`, 100},
		"priority":          {"priority", `"service_tier":"priority",`, 200},
		"priority, unsaid":  {"priority", ``, 200},
		"priority, refused": {"priority", `"service_tier":"default",`, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			prompts := writeBounded(t, dir, 400, always(100))
			b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
				answerWith(w, tier.answered+`"usage":{"prompt_tokens":9,"completion_tokens":100,"total_tokens":109}`)
			})
			p := llmpipe(t, dir, "--base-url", b.URL, "-m", "gpt-4o-mini", "-c", "8", "--set", "service_tier="+strconv.Quote(tier.asked),
				"--budget", "0.01", prompts)
			p.exit(t)
			if billed := b.asked.Load() * bill * tier.bills / percent; !within(3, billed, budget) || reported(t, dir) != billed {
				t.Errorf("the provider billed %d of %d, and the report says %d: %s", billed, budget, reported(t, dir), &p.err)
			}
		})
	}
}

// TestCacheWritesAreBudgeted marks long prompts to be cached for an hour, at twice the price of the
// input, at a provider that bills a token for nearly every byte.
func TestCacheWritesAreBudgeted(t *testing.T) {
	t.Parallel()
	const budget, written = int64(0.5 * dollar), 2000
	const bill = 10*3000 + written*6000 + 100*15_000
	dir := t.TempDir()
	prompts := writeFile(t, dir, "prompts.jsonl", repeat(1, 60, func(i int) string {
		return fmt.Sprintf(`{"id":%d,"messages":[{"role":"user","content":[{"type":"text","text":"%s","cache_control":`+
			`{"type":"ephemeral","ttl":"1h"}}]}],"max_tokens":100}`, i, strings.Repeat("7 ", written/2))
	}))
	b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		answerWith(w, fmt.Sprintf(`"usage":{"input_tokens":10,"cache_creation_input_tokens":%d,"cache_read_input_tokens":0,`+
			`"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":%[1]d},"output_tokens":100}`, written))
	})
	p := llmpipe(t, dir, "--base-url", b.URL, "-m", "claude-sonnet-4-6", "-c", "8", "--budget", "0.5", prompts)
	p.exit(t)
	if billed := b.asked.Load() * bill; !within(4, billed, budget) || reported(t, dir) != billed {
		t.Errorf("the provider billed %d of %d, and the report says %d: %s", billed, budget, reported(t, dir), &p.err)
	}
}
