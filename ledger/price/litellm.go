package price

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// liteModel is a model in LiteLLM's table: an object of which the prices are the members that end
// in _cost or hold _cost_per_token, in dollars a token.
type liteModel map[string]json.RawMessage

// liteSample is the entry that explains the others.
const liteSample = "sample_spec"

// loadLiteLLM reads an object of models by their names, and says how many have a price.
func (t *Table) loadLiteLLM(data []byte) (found int, err error) {
	var models map[string]json.RawMessage
	if err := json.Unmarshal(data, &models); err != nil {
		return 0, err
	}
	for _, name := range slices.Sorted(maps.Keys(models)) { // so that of two of one name always the same one wins
		var m liteModel
		if name == liteSample || json.Unmarshal(models[name], &m) != nil {
			continue // of a form that is not a model's
		}
		price, ok, err := m.price()
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		if !ok {
			continue
		}
		found++
		id := m.text("litellm_provider")
		name = strings.TrimPrefix(name, id+"/")
		for _, at := range t.meant(id, name) {
			line := &listing{name: name, price: price, source: m.text("source")}
			at.batch.setBatch(&line.price)
			at.set(line)
		}
	}
	return found, nil
}

// meant are the providers that a line is for. One that names none, as people write them who have
// but one, is for those that have the model, or else for every host.
func (t *Table) meant(id, name string) []*provider {
	if id != "" {
		return []*provider{t.named(id)}
	}
	var all []*provider
	for _, at := range t.providers {
		if at.models[modelKey(name)] != nil {
			all = append(all, at)
		}
	}
	if len(all) == 0 {
		at := t.named(id)
		at.everywhere = true
		all = append(all, at)
	}
	return all
}

func (m liteModel) text(name string) string {
	var s string
	_ = json.Unmarshal(m[name], &s) // what is no string is none
	return s
}

func (m liteModel) number(name string) json.Number {
	var n json.Number
	_ = json.Unmarshal(m[name], &n) // null is none, and so is anything else
	return n
}

// price is false for a model that is not billed by the token.
func (m liteModel) price() (p Price, ok bool, err error) {
	if m.number("input_cost_per_token") == "" {
		return Price{}, false, nil
	}
	var b rateReader
	p.Rates = m.rates(&b, "")
	// Some bill the reasoning apart, and dearer. What is in the answer is then billed too high,
	// which is better than too low.
	p.Output = max(p.Output, b.rate(m.number("output_cost_per_reasoning_token"), perToken, 0))
	if m.number("input_cost_per_token_batches") != "" {
		p.HasBatch = true
		p.Batch = Rates{
			Input:  b.rate(m.number("input_cost_per_token_batches"), perToken, 0),
			Output: b.rate(m.number("output_cost_per_token_batches"), perToken, p.Output),
		}
		p.Batch.Cached, p.Batch.CacheWrite, p.Batch.CacheHour = p.Batch.Input, p.CacheWrite, p.CacheHour
	}
	p.Flex, p.Priority = m.tier(&b, "_flex"), m.tier(&b, "_priority")
	if above := m.longAbove(); above > 0 {
		p.LongAbove = above
		p.LongRates = m.rates(&b, "_above_"+strconv.FormatInt(above/1000, 10)+"k_tokens").atLeast(p.Rates)
		p.LongBatch = p.LongRates // that there is a reduction is not said
	}
	return p, true, b.err
}

// tier are the rates of a tier, all zero where the table has none for the input and the output.
func (m liteModel) tier(b *rateReader, suffix string) Rates {
	if m.number("input_cost_per_token"+suffix) == "" || m.number("output_cost_per_token"+suffix) == "" {
		return Rates{}
	}
	return m.rates(b, suffix)
}

// rates are those whose names end in a suffix.
func (m liteModel) rates(b *rateReader, suffix string) Rates {
	r := b.rates(perToken,
		m.number("input_cost_per_token"+suffix), m.number("cache_read_input_token_cost"+suffix),
		m.number("cache_creation_input_token_cost"+suffix), m.number("output_cost_per_token"+suffix))
	r.CacheHour = b.rate(m.number("cache_creation_input_token_cost_above_1hr"+suffix), perToken, 0)
	return r
}

// longAbove is the least number of tokens from which on a prompt is long, 0 where none is.
func (m liteModel) longAbove() int64 {
	var all []int64
	for name := range m {
		rest, isInput := strings.CutPrefix(name, "input_cost_per_token_above_")
		thousands, isSize := strings.CutSuffix(rest, "k_tokens")
		if n, err := strconv.ParseInt(thousands, 10, 32); isInput && isSize && err == nil {
			all = append(all, n*1000)
		}
	}
	if len(all) == 0 {
		return 0
	}
	return slices.Min(all)
}

// atLeast takes each rate from other where that is dearer.
func (r Rates) atLeast(other Rates) Rates {
	dearer := Rates{Input: max(r.Input, other.Input), Cached: max(r.Cached, other.Cached), Output: max(r.Output, other.Output)}
	if r.CacheWrite > 0 || other.CacheWrite > 0 {
		dearer.CacheWrite = max(r.write(), other.write())
	}
	if r.CacheHour > 0 || other.CacheHour > 0 {
		dearer.CacheHour = max(r.hour(), other.hour())
	}
	return dearer
}
