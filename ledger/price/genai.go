package price

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// genAIProvider is a provider in genai-prices' table.
type genAIProvider struct {
	ID          string   `json:"id"`
	PricingURLs []string `json:"pricing_urls"`
	Models      []struct {
		ID            string          `json:"id"`
		Match         genAIMatch      `json:"match"`
		PricesChecked string          `json:"prices_checked"`
		Table         json.RawMessage `json:"prices"` // one, or several with conditions
	} `json:"models"`
}

type genAIConditional struct {
	Constraint *struct {
		StartDate string `json:"start_date"`
		StartTime string `json:"start_time"` // of day
	} `json:"constraint"`
	Table genAIPrices `json:"prices"`
}

type genAIPrices struct {
	Input      genAIRate `json:"input_mtok"`
	CacheRead  genAIRate `json:"cache_read_mtok"`
	CacheWrite genAIRate `json:"cache_write_mtok"`
	Output     genAIRate `json:"output_mtok"`
}

// genAIRate is a number, or {"base":3,"tiers":[{"start":200000,"price":6}]}.
type genAIRate struct {
	Base  json.Number `json:"base"`
	Tiers []struct {
		Start int64       `json:"start"`
		Price json.Number `json:"price"`
	} `json:"tiers"`
}

func (r *genAIRate) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		type object genAIRate
		return json.Unmarshal(data, (*object)(r))
	}
	return json.Unmarshal(data, &r.Base)
}

// loadGenAI reads an array of providers, and says how many models have a price.
func (t *Table) loadGenAI(data []byte, day time.Time) (found int, err error) {
	var providers []genAIProvider
	if err := json.Unmarshal(data, &providers); err != nil {
		return 0, err
	}
	for i := range providers {
		f := &providers[i]
		at := t.named(f.ID)
		var match []modelMatch
		own := make(map[*listing]bool)
		for j := range f.Models {
			m := &f.Models[j]
			price, ok, err := genAIPrice(m.Table, day)
			if err != nil {
				return 0, fmt.Errorf("%s %s: %w", f.ID, m.ID, err)
			}
			if !ok {
				continue
			}
			found++
			at.batch.setBatch(&price)
			line := &listing{name: m.ID, price: price, snapshot: m.PricesChecked, source: strings.Join(f.PricingURLs, " ")}
			at.set(line, m.Match.names()...)
			own[line] = true
			match = append(match, modelMatch{m.Match.compile(), line})
		}
		at.override(match, own)
	}
	return found, nil
}

// override puts rules before the prices that a provider had, but not before the file's own.
func (at *provider) override(match []modelMatch, own map[*listing]bool) {
	at.match = slices.Concat(match, at.match)
	for key, m := range at.models {
		name := m.name
		if own[m] {
			continue
		}
		if modelKey(name) != key {
			name = key // an alias
		}
		for i := range match {
			if match[i].matches(name) {
				at.models[key] = match[i].model
				break
			}
		}
	}
}

// genAIPrice picks the price that holds on a day. Of several for hours of the day the dearest is
// taken, as a request's hour is not known beforehand.
func genAIPrice(raw json.RawMessage, day time.Time) (best Price, ok bool, err error) {
	var all []genAIConditional
	if bytes.HasPrefix(raw, []byte("[")) {
		err = json.Unmarshal(raw, &all)
	} else {
		all = make([]genAIConditional, 1)
		err = json.Unmarshal(raw, &all[0].Table)
	}
	for i := 0; i < len(all) && err == nil; i++ {
		c := &all[i]
		if c.Table.Input.Base == "" {
			continue
		}
		var price Price
		if price, err = c.Table.price(); err != nil {
			break
		}
		switch {
		case c.Constraint == nil && !ok:
			best = price
		case c.Constraint != nil && c.Constraint.StartTime != "":
			best = dearer(best, price)
		case c.Constraint != nil && c.Constraint.StartDate <= day.UTC().Format(dayLayout):
			best = price // they stand in the order of time
		default:
			continue
		}
		ok = true
	}
	return best, ok, err
}

func dearer(a, b Price) Price {
	a.Rates, a.LongRates = a.Rates.atLeast(b.Rates), a.LongRates.atLeast(b.LongRates)
	a.LongAbove = max(a.LongAbove, b.LongAbove)
	return a
}

func (f *genAIPrices) price() (p Price, err error) {
	var b rateReader
	p.Rates = b.rates(perMillion, f.Input.Base, f.CacheRead.Base, f.CacheWrite.Base, f.Output.Base)
	p.LongAbove = f.Input.longAbove()
	if above := f.Output.longAbove(); above > 0 && (above < p.LongAbove || p.LongAbove == 0) {
		p.LongAbove = above
	}
	if p.LongAbove > 0 {
		p.LongRates = b.rates(perMillion, f.Input.dearest(), f.CacheRead.dearest(), f.CacheWrite.dearest(), f.Output.dearest()).atLeast(p.Rates)
	}
	return p, b.err
}

// longAbove is where the first tier starts, 0 where there is none.
func (r *genAIRate) longAbove() int64 {
	var above int64
	for _, tier := range r.Tiers {
		if above == 0 || tier.Start < above {
			above = tier.Start
		}
	}
	return above
}

// dearest is the last tier's price. Where there are several, those between cost as much here: more
// than they would, and never less.
func (r *genAIRate) dearest() json.Number {
	if len(r.Tiers) == 0 {
		return r.Base
	}
	return r.Tiers[len(r.Tiers)-1].Price
}
