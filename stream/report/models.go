package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/stream/naming"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// ModelsConfig says which prices to list.
type ModelsConfig struct {
	Names  []string // parts of names, or families; all models if there are none
	JSON   bool
	Prices string // a file with prices that replace built-in ones, "" for none
	Voice  *ui.Voice
}

// nearModel returns a hint for names that match no model: the model that was probably meant by one
// of them.
func nearModel(list price.List, names []string) string {
	known := make([]string, len(list))
	for i := range list {
		known[i] = list[i].Model
	}
	for _, name := range names {
		if near := naming.Nearest(strings.ToLower(name), known); near != "" {
			return "did you mean llmpipe models " + near + "?"
		}
	}
	return ""
}

// Models writes the price table in force, or the part of it that the names match.
func Models(w io.Writer, cfg ModelsConfig) error {
	var money spend.Config
	if err := money.LoadPrices(cfg.Prices); err != nil {
		return err
	}
	money.NoteOlder(cfg.Voice)
	table := money.InForce(time.Now())
	list, unlisted := table.List(), table.Unlisted()
	if len(cfg.Names) > 0 {
		all := list
		list, unlisted = all.Named(cfg.Names...), nil
		if len(list) == 0 {
			return ui.WithHint(cmp.Or(nearModel(all, cfg.Names), spend.AddPrice),
				fmt.Errorf("no price is known for %s", naming.Short(strings.Join(cfg.Names, ", "))))
		}
		for _, name := range cfg.Names {
			if len(all.Named(name)) == 0 {
				cfg.Voice.Warn("no price is known for %s", naming.Short(name))
			}
		}
	}
	if cfg.JSON {
		return json.NewEncoder(w).Encode(list)
	}
	return writePrices(w, list, unlisted)
}
