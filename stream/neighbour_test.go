package stream

import (
	"path/filepath"
	"strings"
	"testing"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
	"llmpipe/stream/journal"
)

// Where another process has set aside what a budget has left, for a record that it may ask about
// again, the run says so, and speaks of no batches: there are none.
func TestMoneyThatAnotherProcessHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	other, err := ledger.Open(path, ledger.Options{Run: ledger.RunInfo{ID: "other", Simulated: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	held := ledger.AtRisk{Key: ledger.Key{ID: 1, Request: 1}, Nanos: 1e9 - 10, Known: true}
	if _, err := other.Claim([]ledger.Claim{{AtRisk: held}}, nil, ledger.Bounds{}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Claim(nil, []ledger.AtRisk{held}, ledger.Bounds{}); err != nil {
		t.Fatal(err)
	}
	r := try(t, "sim:?latency=0", prompts(2), func(c *Config) {
		c.Ledger = journal.Config{Path: path}
		c.Money.Budget, c.Decode.Model = price.Dollars(1e9), "gpt-4o-mini"
	})
	if r.ExitCode() != ExitPaused || r.Paused == nil {
		t.Fatalf("exit %d, %+v", r.ExitCode(), r.Outcome)
	}
	if said := r.Paused.Error(); !strings.Contains(said, "other processes") || strings.Contains(said, "batch") {
		t.Errorf("it says %q", said)
	}
}
