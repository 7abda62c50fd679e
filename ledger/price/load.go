package price

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxFile bounds the size of a price table, in bytes. LiteLLM's has 2 MB.
const maxFile = 64 << 20

// Load reads a price table and puts its prices over those of [Default]. It takes the tables that
// LiteLLM (model_prices_and_context_window.json) and pydantic's genai-prices (data.json,
// data_slim.json) publish, and others of the same forms. Prices in the file replace built-in ones;
// all others stay. If the file has no batch price for a model, the provider's batch reduction for
// all its models applies. A row named * is for the models that no other row is for.
//
// A file of another form, or without any price, is an error.
func Load(r io.Reader, day time.Time) (*Table, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading prices: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("reading prices: more than %d MiB", maxFile>>20)
	}
	t := Default(day)
	found := 0
	switch data = bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n"); {
	case bytes.HasPrefix(data, []byte("[")):
		found, err = t.loadGenAI(data, day)
	case bytes.HasPrefix(data, []byte("{")):
		found, err = t.loadLiteLLM(data)
	default:
		err = errors.New("neither LiteLLM's nor genai-prices' table")
	}
	if err == nil && found == 0 {
		err = errors.New("it has no token prices in LiteLLM's or genai-prices' format")
	}
	if err != nil {
		return nil, fmt.Errorf("reading prices: %w", err)
	}
	return t, nil
}

// named returns the provider that a table calls by an id, and adds one if the id is new.
func (t *Table) named(id string) *provider {
	if at := t.byID[id]; at != nil {
		return at
	}
	return t.add(id)
}

// rateReader reads prices and keeps the first error.
type rateReader struct{ err error }

// below0 reports whether a number is negative. Tables have negative prices for models whose price
// varies.
func below0(number json.Number) bool { return len(number) > 0 && number[0] == '-' }

// rate returns 0 if there is no number.
func (b *rateReader) rate(number json.Number, of unit) Dollars {
	if number == "" {
		return 0
	}
	rate, err := parseRate(number.String(), of)
	if err != nil && b.err == nil {
		b.err = err
	}
	return rate
}
