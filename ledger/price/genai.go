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
		Window        int64           `json:"context_window"`
		Table         json.RawMessage `json:"prices"` // one, or an array of several with conditions
	} `json:"models"`
}

type genAIConditional struct {
	Constraint *struct {
		StartDate string `json:"start_date"`
		StartTime string `json:"start_time"` // time of day
	} `json:"constraint"`
	Table genAIPrices `json:"prices"`
}

type genAIPrices struct {
	Input       genAIRate   `json:"input_mtok"`
	CacheRead   genAIRate   `json:"cache_read_mtok"`
	CacheWrite  genAIRate   `json:"cache_write_mtok"`
	CacheHour   genAIRate   `json:"cache_write_1h_mtok"`
	Output      genAIRate   `json:"output_mtok"`
	Reasoning   genAIRate   `json:"output_reasoning_mtok"`
	AudioIn     genAIRate   `json:"input_audio_mtok"`
	AudioCached genAIRate   `json:"cache_audio_read_mtok"`
	AudioOut    genAIRate   `json:"output_audio_mtok"`
	ImageIn     genAIRate   `json:"input_image_mtok"`
	ImageOut    genAIRate   `json:"output_image_mtok"`
	Requests    json.Number `json:"requests_kcount"`     // dollars a thousand
	Searches    json.Number `json:"web_searches_kcount"` // dollars a thousand
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

// loadGenAI reads an array of providers, and returns how many models have a price.
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
			price, ok, err := genAIPrice(m.Table, day, isRouter(f.ID, m.ID))
			if err != nil {
				return 0, fmt.Errorf("%s %s: %w", f.ID, m.ID, err)
			}
			if !ok {
				continue
			}
			found++
			price.Window = m.Window
			price.complete(at.batch, at.flatFlex)
			line := &listing{name: m.ID, price: price, snapshot: m.PricesChecked, source: strings.Join(f.PricingURLs, " ")}
			at.set(line, m.Match.names()...)
			own[line] = true
			match = append(match, modelMatch{m.Match.compile(), line})
		}
		at.override(match, own)
	}
	return found, nil
}

// override puts the rules of a file before the prices that a provider already had, but not before
// the file's own prices.
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
				match[i].model.replace(m)
				at.models[key] = match[i].model
				break
			}
		}
	}
}

// genAIPrice picks the price that holds on a day. If there are several for different hours of the
// day, it combines the dearest rates, because the hour of a request is not known beforehand. A
// router's price of 0 or less does not count as a price.
func genAIPrice(raw json.RawMessage, day time.Time, router bool) (best Price, ok bool, err error) {
	var all []genAIConditional
	if bytes.HasPrefix(raw, []byte("[")) {
		err = json.Unmarshal(raw, &all)
	} else {
		all = make([]genAIConditional, 1)
		err = json.Unmarshal(raw, &all[0].Table)
	}
	for i := 0; i < len(all) && err == nil; i++ {
		c := &all[i]
		if c.Table.Input.Base == "" || router && (below0(c.Table.Input.Base) || below0(c.Table.Output.Base)) {
			continue
		}
		var price Price
		if price, err = c.Table.price(); err != nil {
			break
		}
		if router && price.says0() {
			continue
		}
		switch {
		case c.Constraint == nil && !ok:
			best = price
		case c.Constraint != nil && c.Constraint.StartTime != "":
			best = dearer(best, price)
		case c.Constraint != nil && c.Constraint.StartDate <= day.UTC().Format(dayLayout):
			best = price // they are in chronological order
		default:
			continue
		}
		ok = true
	}
	return best, ok, err
}

func dearer(a, b Price) Price {
	var above []int64
	for _, band := range slices.Concat(a.Bands, b.Bands) {
		above = append(above, band.Above)
	}
	slices.Sort(above)
	var all Price
	for _, tokens := range slices.Compact(above) {
		rates := a.rates(tokens + 1).atLeast(*b.rates(tokens + 1))
		all.Bands = append(all.Bands, Band{Above: tokens, Rates: [tiers]Rates{Standard: rates}})
	}
	all.Fees = a.Fees
	all.Fees.Request = max(a.Fees.Request, b.Fees.Request)
	for i := range all.Fees.Search {
		all.Fees.Search[i] = max(a.Fees.Search[i], b.Fees.Search[i])
	}
	return all
}

func (f *genAIPrices) price() (p Price, err error) {
	var b rateReader
	p = one(f.rates(&b, 0).whole())
	for _, above := range f.above() {
		long := f.rates(&b, above).whole().atLeast(p.Bands[0].Rates[Standard])
		p.Bands = append(p.Bands, Band{Above: above, Rates: [tiers]Rates{Standard: long}})
	}
	p.Fees.Request = b.rate(f.Requests, perThousand)
	search := b.rate(f.Searches, perThousand)
	p.Fees.Search = [3]Dollars{search, search, search}
	return p, b.err
}

// rates returns the rates for a prompt of more than above tokens.
func (f *genAIPrices) rates(b *rateReader, above int64) Rates {
	rate := func(r *genAIRate) Dollars { return b.rate(r.at(above), perMillion) }
	return Rates{
		Input: rate(&f.Input), Cached: rate(&f.CacheRead), CacheWrite: rate(&f.CacheWrite), CacheHour: rate(&f.CacheHour),
		Output: rate(&f.Output), Reasoning: rate(&f.Reasoning),
		AudioIn: rate(&f.AudioIn), AudioCached: rate(&f.AudioCached), AudioOut: rate(&f.AudioOut),
		ImageIn: rate(&f.ImageIn), ImageOut: rate(&f.ImageOut),
	}
}

// above returns the prompt lengths, in tokens, above which the rates change, in ascending order.
func (f *genAIPrices) above() []int64 {
	var all []int64
	for _, r := range [...]*genAIRate{
		&f.Input, &f.CacheRead, &f.CacheWrite, &f.CacheHour, &f.Output, &f.Reasoning,
		&f.AudioIn, &f.AudioCached, &f.AudioOut, &f.ImageIn, &f.ImageOut,
	} {
		for _, tier := range r.Tiers {
			if tier.Start > 0 {
				all = append(all, tier.Start)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// at returns the price for a prompt of more than above tokens.
func (r *genAIRate) at(above int64) json.Number {
	number := r.Base
	for _, tier := range r.Tiers {
		if tier.Start <= above {
			number = tier.Price
		}
	}
	return number
}
