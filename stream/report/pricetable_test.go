package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"llmpipe/ledger/price"
)

func TestPriceTable(t *testing.T) {
	batch, sound, fee := price.Dollars(75e6), price.Dollars(40e9), price.Dollars(10e6)
	list := price.List{
		{
			Provider: "openai", Model: "gpt-4o-mini", Columns: price.Columns{Input: 150e6, Cached: 75e6, Output: 600e6},
			BatchInput: &batch, BatchOutput: &batch, Snapshot: "2026-06",
		},
		{
			Provider: "here\n", Model: "m", Columns: price.Columns{Input: 2e9, Cached: 2e9, Output: 12e9, AudioIn: &sound},
			Long: []price.Long{{Above: 200_000, Columns: price.Columns{Input: 4e9, Cached: 4e9, Output: 18e9}}}, Note: "dear",
			Fees: &price.RowFees{Request: &fee, Search: &price.Search{Low: 5e6, Medium: 8e6, High: 12e6}},
		},
	}
	want := strings.Join([]string{
		"US dollars a million tokens",
		"",
		"  INPUT  CACHED  OUTPUT  BATCH IN  BATCH OUT  READ ON  MODEL",
		"   0.15   0.075    0.60     0.075      0.075  2026-06  openai gpt-4o-mini",
		"   2.00    2.00   12.00         -          -        -  here? m (a prompt over 200,000 tokens: 4.00, 4.00, 18.00)" +
			" (sound: 40.00, -) (and 0.01 a request) (and 0.005 to 0.012 a search) (dear)",
		"",
	}, "\n")
	var out bytes.Buffer
	if err := writePrices(&out, list); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
	if err := writePrices(failingWriter{}, list); !errors.Is(err, errWriter) {
		t.Errorf("a writer that fails: %v", err)
	}
}

var errWriter = errors.New("no room")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errWriter }
