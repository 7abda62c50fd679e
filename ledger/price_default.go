package ledger

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

// embeddedPrices says itself what it is made of.
//
//go:embed prices.json
var embeddedPrices []byte

// priceFile is the form of prices.json.
type priceFile struct {
	About     []string `json:"about"`
	Providers []struct {
		ID           string           `json:"id"`
		IDs          []string         `json:"ids"`
		Hosts        []string         `json:"hosts"`
		Like         string           `json:"like"`
		Everywhere   bool             `json:"everywhere"`
		Open         []string         `json:"open"`
		BatchPercent int64            `json:"batch_percent"`
		BatchCached  bool             `json:"batch_cached"`
		Note         string           `json:"note"`
		Snapshot     string           `json:"snapshot"`
		Source       string           `json:"source"`
		Models       []priceFileModel `json:"models"`
	} `json:"providers"`
}

type priceFileModel struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
	Family  string   `json:"family"`
	From    string   `json:"from"` // the day from which on this is the price, 2006-01-02
	Note    string   `json:"note"`
	priceFileRates
	Snapshot    string `json:"snapshot"`
	BatchCached *bool  `json:"batch_cached"`
	Long        *struct {
		Above int64 `json:"above"`
		priceFileRates
	} `json:"long"`
}

type priceFileRates struct {
	Input      json.Number `json:"input"`
	Cached     json.Number `json:"cached"`
	CacheWrite json.Number `json:"cache_write"`
	Output     json.Number `json:"output"`
}

const dayLayout = "2006-01-02"

// DefaultPrices is the table that the program comes with, as it is on a day (UTC): some prices are
// announced to change. It has the public list prices of the models in use, each with the day on
// which it was read, and no discounts that are not everybody's.
func DefaultPrices(day time.Time) *Prices {
	p, err := parsePrices(embeddedPrices, day)
	if err != nil {
		panic("ledger: the price table that was built in: " + err.Error())
	}
	return p
}

func parsePrices(data []byte, day time.Time) (*Prices, error) {
	var file priceFile
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, err
	}
	p := &Prices{byID: make(map[string]*priceProvider)}
	for i := range file.Providers {
		f := &file.Providers[i]
		at := p.add(f.ID, f.IDs...)
		at.hosts, at.everywhere, at.open, at.like = f.Hosts, f.Everywhere, f.Open, p.byID[f.Like]
		at.batch = batchTerms{f.BatchPercent, f.BatchCached}
		if at.like != nil && f.BatchPercent == 0 {
			at.batch = at.like.batch
		}
		for j := range f.Models {
			m := &f.Models[j]
			if m.From > day.UTC().Format(dayLayout) {
				continue
			}
			price, err := m.price(at.batch)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", f.ID, m.Name, err)
			}
			note := m.Note
			if note == "" && m.From == "" {
				note = f.Note
			}
			at.set(&modelPrice{
				name: m.Name, family: m.Family, price: price, note: note,
				snapshot: cmp.Or(m.Snapshot, f.Snapshot), source: f.Source,
			}, m.Aliases...)
		}
	}
	return p, nil
}

// add makes a provider that has no prices yet.
func (p *Prices) add(id string, others ...string) *priceProvider {
	at := &priceProvider{id: id, models: make(map[string]*modelPrice)}
	p.providers = append(p.providers, at)
	p.byID[id] = at
	for _, other := range others {
		p.byID[other] = at
	}
	return at
}

func (m *priceFileModel) price(terms batchTerms) (price Price, err error) {
	if price.Rates, err = m.rates(); err != nil {
		return Price{}, err
	}
	if m.Long != nil {
		price.LongAbove = m.Long.Above
		if price.LongRates, err = m.Long.rates(); err != nil {
			return Price{}, err
		}
	}
	if m.BatchCached != nil {
		terms.cached = *m.BatchCached
	}
	terms.setBatch(&price)
	return price, nil
}

func (f *priceFileRates) rates() (Rates, error) {
	var b rateReader
	return b.rates(perMillion, f.Input, f.Cached, f.CacheWrite, f.Output), b.err
}
