package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadmeProviders holds README's table of providers to what is tried against the simulator: a
// provider has batches where its dialect of them is tried, and a way of billing that is.
func TestReadmeProviders(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(readme), "\n| provider | flags and variables | batches")
	table, _, end := strings.Cut(table, "\n\n")
	if !ok || !end {
		t.Fatal("README has no table of providers")
	}
	// Those that bill, or have batches, as another does.
	as := map[string]string{"novita": "openai", "your own (vllm, llama.cpp, ollama)": "openai"}
	rows := strings.Split(table, "\n")[2:]
	var batched []string
	for _, row := range rows {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		if len(cells) != 5 {
			t.Errorf("%q has %d cells", row, len(cells))
			continue
		}
		name := strings.ToLower(cells[0])
		if cells[2] != "no" {
			batched = append(batched, name)
		}
		bills := name
		if other := as[name]; other != "" {
			bills = other
		}
		if !slices.ContainsFunc(billings, func(b billed) bool { return b.as == bills }) {
			t.Errorf("how %s bills is not tried", name)
		}
		if url := strings.Fields(cells[1])[0]; url == "--base-url" && !strings.Contains(cells[1], "http") {
			t.Errorf("%s has no address: %s", name, cells[1])
		}
	}
	tried := append(slices.Clone(dialects), "anthropic") // Message Batches, in tests of their own
	slices.Sort(tried)
	slices.Sort(batched)
	if !slices.Equal(batched, tried) {
		t.Errorf("README has batches at %v, and they are tried for %v", batched, tried)
	}
}
