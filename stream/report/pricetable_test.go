package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"llmpipe/ledger/price"
)

func TestPriceTable(t *testing.T) {
	batch, batchOut, sound, fee := price.Dollars(75e6), price.Dollars(300e6), price.Dollars(40e9), price.Dollars(10e6)
	const source = "https://example.com/pricing"
	list := price.List{
		{
			Provider: "openai", Model: "gpt-4o-mini", Columns: price.Columns{Input: 150e6, Cached: 75e6, Output: 600e6},
			BatchInput: &batch, BatchOutput: &batchOut, Snapshot: "2026-06", Source: source,
		},
		{
			Provider: "openai", Model: "a-name-that-does-not-fit-beside-its-figures-in-80-characters",
			Columns:    price.Columns{Input: 150e6, Cached: 75e6, Output: 600e6},
			BatchInput: &batch, BatchOutput: &batch, Snapshot: "2026-06-01", Source: source, Note: "preview",
		},
		{
			Provider: "here\n", Model: "m", Columns: price.Columns{Input: 2e9, Cached: 2e9, Output: 12e9, AudioIn: &sound},
			Long: []price.Long{{Above: 200_000, Columns: price.Columns{Input: 4e9, Cached: 4e9, Output: 18e9}}},
			Fees: &price.RowFees{Request: &fee, Search: &price.Search{Low: 5e6, Medium: 8e6, High: 12e6}}, Note: "dear",
		},
		{
			Provider: "here\n", Model: "n", Columns: price.Columns{Input: 2e9, Cached: 2e9, Output: 12e9},
			Fees: &price.RowFees{Search: &price.Search{Low: 5e6, Medium: 5e6, High: 5e6}}, Note: "dear",
		},
	}
	want := strings.Join([]string{
		"US dollars per million tokens; batch prices in percent, or for input/output",
		"",
		"INPUT  CACHED  OUTPUT        BATCH     READ ON  MODEL",
		"openai; from https://example.com/pricing",
		" 0.15   0.075    0.60          50%     2026-06  gpt-4o-mini",
		" 0.15   0.075    0.60  0.075/0.075  2026-06-01",
		"    a-name-that-does-not-fit-beside-its-figures-in-80-characters",
		"    preview",
		"here?; dear",
		" 2.00    2.00   12.00            -           -  m",
		"    prompts over 200,000 tokens: 4.00, 4.00, 18.00; sound: 40.00, -; 0.01 per",
		"    request; 0.005 to 0.012 per search",
		" 2.00    2.00   12.00            -           -  n",
		"    0.005 per search",
		"",
		"Not built in: together, perplexity. Providers of open models change prices",
		"often: give --prices the latest table of LiteLLM",
		"(model_prices_and_context_window.json) or genai-prices (data.json).",
		"",
	}, "\n")
	var out bytes.Buffer
	if err := writePrices(&out, list, []string{"together", "perplexity"}); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
	if err := writePrices(failingWriter{}, list, nil); !errors.Is(err, errWriter) {
		t.Errorf("a writer that fails: %v", err)
	}
}

var errWriter = errors.New("no room")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errWriter }
