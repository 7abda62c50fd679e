package report

import (
	"encoding/json"
	"io"
	"time"

	"llmpipe/stream"
)

// Models writes the price table in force, with the prices of a file over those built in if one is named.
func Models(w io.Writer, asJSON bool, file string) error {
	loaded, err := stream.LoadPrices(file)
	if err != nil {
		return err
	}
	list := (&stream.MoneyConfig{Prices: loaded}).InForce(time.Now()).List()
	if asJSON {
		return json.NewEncoder(w).Encode(list)
	}
	return writePrices(w, list)
}
