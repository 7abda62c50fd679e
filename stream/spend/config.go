package spend

import (
	"fmt"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/stream/naming"
	"llmpipe/stream/ui"
)

// Config says what answers cost and what may be spent.
type Config struct {
	// Prices are the prices in force; nil stands for the table that is built in.
	Prices *price.Table
	// PricesFile is the file that Prices were read from, and PricesWritten is when it was written.
	// Both are zero if there is no file.
	PricesFile    string
	PricesWritten time.Time
	// Budget is the most that everything in the ledger may cost. PerDay is the most that may be spent
	// since 00:00 UTC. 0 stands for no bound.
	Budget, PerDay price.Dollars
	// DowngradeTo is the model that new requests go to once four fifths of Budget are spent; empty for
	// none.
	DowngradeTo string
	// Alert is a URL, or exec: and a command. It is told when the budget turns yellow or red; empty
	// for nobody.
	Alert string
}

// InForce returns the prices in force on a day.
func (c *Config) InForce(day time.Time) *price.Table {
	if c.Prices != nil {
		return c.Prices
	}
	return price.Default(day)
}

// NoteOlder says if prices of the file are older than the built-in ones that they replace.
func (c *Config) NoteOlder(voice *ui.Voice) {
	if c.PricesFile == "" {
		return
	}
	if n, newest := c.Prices.Older(c.PricesWritten); n > 0 {
		voice.Note("--prices %s: its prices of %s are older than the built-in ones (read up to %s), and are used all the same",
			c.PricesFile, ui.Number(int64(n), "model"), newest)
	}
}

// CheckDowngrade returns an error if the cheaper model has no price at the named provider, before
// anything is paid for the dear one.
func (c *Config) CheckDowngrade(provider string) error {
	if c.DowngradeTo == "" {
		return nil
	}
	if _, _, ok := c.InForce(time.Now()).Lookup(provider, c.DowngradeTo); !ok {
		return ui.WithHint(AddPrice, fmt.Errorf("--downgrade-to: no price is known for the model %q, so the budget cannot hold",
			naming.Short(c.DowngradeTo)))
	}
	return nil
}

// AddPrice is the hint for a price that is not known.
const AddPrice = "--prices FILE adds it, in the format of LiteLLM or genai-prices; llmpipe models lists those that are known"
