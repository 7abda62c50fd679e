package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// ModelsConfig says which prices to list.
type ModelsConfig struct {
	Names  []string // parts of names, or families; all where there are none
	JSON   bool
	Prices string // a file with prices over those built in, "" for none
	Voice  *ui.Voice
}

// Models writes the price table in force, or a part of it.
func Models(w io.Writer, cfg ModelsConfig) error {
	var money spend.Config
	if err := money.LoadPrices(cfg.Prices); err != nil {
		return err
	}
	money.NoteOlder(cfg.Voice)
	table := money.InForce(time.Now())
	list, unlisted := table.List(), table.Unlisted()
	if len(cfg.Names) > 0 {
		list, unlisted = list.Named(cfg.Names...), nil
		if len(list) == 0 {
			return ui.WithHint(spend.AddPrice, fmt.Errorf("no price is known for %s", strings.Join(cfg.Names, ", ")))
		}
	}
	if cfg.JSON {
		return json.NewEncoder(w).Encode(list)
	}
	return writePrices(w, list, unlisted)
}
