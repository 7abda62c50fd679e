package report

import (
	"encoding/json"
	"io"
	"time"

	"llmpipe/stream/spend"
)

// Models writes the price table in force, with the prices of a file over those built in if one is
// named.
func Models(w io.Writer, asJSON bool, file string) error {
	loaded, err := spend.LoadPrices(file)
	if err != nil {
		return err
	}
	list := (&spend.Config{Prices: loaded}).InForce(time.Now()).List()
	if asJSON {
		return json.NewEncoder(w).Encode(list)
	}
	return writePrices(w, list)
}
