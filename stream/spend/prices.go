package spend

import (
	"fmt"
	"os"
	"time"

	"llmpipe/ledger/price"
)

// LoadPrices returns the built-in prices with those of a file over them, nil when none is named.
func LoadPrices(name string) (*price.Table, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--prices: %w", err)
	}
	defer file.Close()
	prices, err := price.Load(file, time.Now())
	if err != nil {
		return nil, fmt.Errorf("--prices %s: %w", name, err)
	}
	return prices, nil
}
