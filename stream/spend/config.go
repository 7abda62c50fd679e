package spend

import (
	"fmt"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/stream/ui"
)

// Config says what answers cost and what may be spent.
type Config struct {
	// Prices are the prices in force; nil stands for the table that is built in.
	Prices *price.Table
	// Budget is the most that everything in the ledger may cost, PerDay the most since 00:00 UTC; 0
	// for no such bound.
	Budget, PerDay price.Dollars
	// DowngradeTo is the model that new requests go to once four fifths of Budget are spent; empty for
	// none.
	DowngradeTo string
	// Alert is told of each crossing: a URL, or exec: and a command; empty for nobody.
	Alert string
}

// InForce returns the prices in force on a day.
func (c *Config) InForce(day time.Time) *price.Table {
	if c.Prices != nil {
		return c.Prices
	}
	return price.Default(day)
}

// CheckDowngrade refuses a cheaper model without a price at the named provider before anything is
// paid for the dear one.
func (c *Config) CheckDowngrade(provider string) error {
	if c.DowngradeTo == "" {
		return nil
	}
	if _, _, ok := c.InForce(time.Now()).Lookup(provider, c.DowngradeTo); !ok {
		return ui.WithHint(AddPrice, fmt.Errorf("--downgrade-to: no price is known for the model %q, so the budget cannot hold", c.DowngradeTo))
	}
	return nil
}

// AddPrice is what to do about a price that is not known.
const AddPrice = "--prices FILE adds it, in the format of LiteLLM or genai-prices; llmpipe models lists those that are known"
