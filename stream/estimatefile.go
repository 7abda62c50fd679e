package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"llmpipe/ledger/price"
	"llmpipe/stream/ui"
)

// readEstimate returns the total that an estimate expects.
func readEstimate(name string) (price.Dollars, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, fmt.Errorf("--estimate: %w", err)
	}
	var e struct {
		Total *price.Dollars `json:"total_usd"`
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return 0, fmt.Errorf("--estimate %s: %w", name, err)
	}
	if e.Total == nil || *e.Total <= 0 {
		return 0, ui.WithHint("llmpipe estimate --json writes such a file",
			fmt.Errorf("--estimate %s: %w", name, errors.New("it has no total_usd")))
	}
	return *e.Total, nil
}
