package price

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// liteModel is a model in LiteLLM's table. Its prices are the members with names that end in _cost
// or contain _cost_per_token, in dollars a token.
type liteModel map[string]json.RawMessage

// liteSample is the entry that documents the others.
const liteSample = "sample_spec"

// loadLiteLLM reads an object with models by name, and returns how many have a price.
func (t *Table) loadLiteLLM(data []byte) (found int, err error) {
	var models map[string]json.RawMessage
	if err := json.Unmarshal(data, &models); err != nil {
		return 0, err
	}
	for _, name := range slices.Sorted(maps.Keys(models)) { // sorted, so that of two with one name the same one always wins
		var m liteModel
		if name == liteSample || json.Unmarshal(models[name], &m) != nil {
			continue // not a model
		}
		id := m.text("litellm_provider")
		name = strings.TrimPrefix(name, id+"/")
		price, ok, err := m.price(id, name)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		if !ok {
			continue
		}
		found++
		for _, at := range t.meant(id, name) {
			line := &listing{name: name, price: price, source: m.text("source"), regional: m.regional()}
			line.price.Bands = slices.Clone(price.Bands)
			line.price.complete(at.batch, at.flatFlex)
			at.set(line)
		}
	}
	return found, nil
}

// meant returns the providers that a line is for. A line may name no provider, as people write it
// who have only one. It is then for each provider that has the model, and for all other hosts.
func (t *Table) meant(id, name string) []*provider {
	if id != "" {
		return []*provider{t.named(id)}
	}
	var all []*provider
	everywhere := false
	for _, at := range t.providers {
		if at.models[modelKey(name)] != nil {
			all = append(all, at)
			everywhere = everywhere || at.owns(name)
		}
	}
	if !everywhere {
		at := t.named(id)
		at.everywhere = true
		all = append(all, at)
	}
	return all
}

func (m liteModel) text(name string) string {
	var s string
	_ = json.Unmarshal(m[name], &s) // anything but a string counts as absent
	return s
}

func (m liteModel) number(name string) json.Number {
	var n json.Number
	_ = json.Unmarshal(m[name], &n) // anything but a number counts as absent
	return n
}

// price reports false for a model that is not billed by the token, or whose price is not given.
func (m liteModel) price(id, name string) (p Price, ok bool, err error) {
	var b rateReader
	base := m
	ranges := m.ranges()
	if len(ranges) > 0 && m.number("input_cost_per_token") == "" {
		base = ranges[0].model
	}
	input := base.number("input_cost_per_token")
	if input == "" || isRouter(id, name) && (below0(input) || below0(base.number("output_cost_per_token"))) {
		return Price{}, false, nil
	}
	p = one(base.rates(&b, "").whole())
	standard := p.Bands[0].Rates[Standard]
	if m.number("input_cost_per_token_batches") != "" {
		p.HasBatch = true
		batch := m.rates(&b, "_batches")
		batch.Output = batch.Output.or(standard.Output)
		batch.CacheWrite, batch.CacheHour = batch.CacheWrite.or(standard.CacheWrite), batch.CacheHour.or(standard.CacheHour)
		p.Bands[0].Rates[Batched] = batch.whole().with(&standard)
	}
	p.Bands[0].Rates[Flex], p.Bands[0].Rates[Priority] = m.tier(&b, "_flex", &standard), m.tier(&b, "_priority", &standard)
	if fast := m.factor("fast"); fast > 0 && p.Bands[0].Rates[Priority] == (Rates{}) {
		p.Bands[0].Rates[Priority] = standard.percent(fast)
	}
	for _, r := range ranges[min(len(ranges), 1):] {
		long := r.model.rates(&b, "").whole().atLeast(standard)
		p.Bands = append(p.Bands, Band{Above: r.above, Rates: [tiers]Rates{Standard: long}})
	}
	for _, above := range m.longAbove() {
		suffix := "_above_" + strconv.FormatInt(above/1000, 10) + "k_tokens"
		band := Band{Above: above}
		long := m.rates(&b, suffix).whole().atLeast(standard)
		band.Rates[Standard] = long
		for tier, end := range map[Tier]string{Flex: "_flex", Priority: "_priority", Batched: "_batches"} {
			band.Rates[tier] = m.tier(&b, suffix+end, &long)
		}
		p.Bands = append(p.Bands, band)
	}
	p.Fees = m.fees(&b, id, name)
	p.Window = m.window()
	if isRouter(id, name) && p.says0() {
		return Price{}, false, nil
	}
	return p, true, b.err
}

// tier returns the rates of a tier. They are all zero if the table lacks its input or output rate.
func (m liteModel) tier(b *rateReader, suffix string, standard *Rates) Rates {
	if m.number("input_cost_per_token"+suffix) == "" || m.number("output_cost_per_token"+suffix) == "" {
		return Rates{}
	}
	return m.rates(b, suffix).whole().with(standard)
}

// rates returns the rates of the members whose names end in suffix.
func (m liteModel) rates(b *rateReader, suffix string) Rates {
	rate := func(name string) Dollars { return b.rate(m.number(name+suffix), perToken) }
	return Rates{
		Input: rate("input_cost_per_token"), Output: rate("output_cost_per_token"), Reasoning: rate("output_cost_per_reasoning_token"),
		Cached:     rate("cache_read_input_token_cost").or(rate("input_cost_per_token_cache_hit")),
		CacheWrite: rate("cache_creation_input_token_cost"), CacheHour: rate("cache_creation_input_token_cost_above_1hr"),
		AudioIn: rate("input_cost_per_audio_token"), AudioCached: rate("cache_read_input_audio_token_cost"),
		AudioOut: rate("output_cost_per_audio_token"),
		ImageIn:  rate("input_cost_per_image_token"), ImageOut: rate("output_cost_per_image_token"),
	}
}

// fees returns what a request to a model costs beside its tokens.
func (m liteModel) fees(b *rateReader, id, name string) Fees {
	f := Fees{Request: b.rate(m.number("input_cost_per_request"), perRequest), Usual: MediumContext}
	var search map[string]json.Number
	_ = json.Unmarshal(m["search_context_cost_per_query"], &search) // anything but an object of numbers counts as absent
	for i, size := range [...]string{"low", "medium", "high"} {
		f.Search[i] = b.rate(search["search_context_size_"+size], perRequest)
	}
	sonar := id == "perplexity" || strings.HasPrefix(name, "sonar") // Perplexity's models always search
	if sonar {
		f.Usual = LowContext
	}
	f.Searches = f.Search != [3]Dollars{} && sonar || strings.Contains(name, "-search-") && m.text("mode") != "search"
	f.Image = b.rate(m.number("input_cost_per_image"), perRequest) > 0 || b.rate(m.number("output_cost_per_image"), perRequest) > 0
	return f
}

// window returns the most tokens that the model takes, or 0 if the table does not say.
func (m liteModel) window() int64 {
	n, _ := m.number("max_input_tokens").Int64()
	return n
}

// regional returns what the model costs at a regional host, in hundredths of its price elsewhere,
// or 0 if the table does not say.
func (m liteModel) regional() int64 {
	var most float64
	for _, region := range [...]string{"eu", "us"} {
		factor, _ := m.number("regional_processing_uplift_multiplier_" + region).Float64() // 0 if there is none
		most = max(most, factor)
	}
	return int64(math.Round(100 * min(most, maxUplift)))
}

// maxUplift is more than any real factor on a price.
const maxUplift = 100

// factor returns what one of a provider's own options costs, such as Anthropic's fast mode, in
// hundredths of the price. It returns 0 if the table does not say.
func (m liteModel) factor(option string) int64 {
	var factors map[string]float64
	_ = json.Unmarshal(m["provider_specific_entry"], &factors) // anything but an object of numbers counts as absent
	return int64(math.Round(100 * min(max(factors[option], 0), maxUplift)))
}

// longAbove returns the prompt lengths, in tokens, above which a prompt costs more, in ascending
// order.
func (m liteModel) longAbove() []int64 {
	var all []int64
	for name := range m {
		_, rest, _ := strings.Cut(name, "put_cost_per_token_above_") // input_… or output_…
		thousands, isSize := strings.CutSuffix(rest, "k_tokens")
		if n, err := strconv.ParseInt(thousands, 10, 32); isSize && err == nil && !slices.Contains(all, n*1000) {
			all = append(all, n*1000)
		}
	}
	slices.Sort(all)
	return all
}

// liteRange is a model's price for prompts of more than above tokens.
type liteRange struct {
	above int64
	model liteModel
}

// ranges returns the prices of a model that are listed by the prompt's length, the shortest first.
func (m liteModel) ranges() []liteRange {
	var listed []liteModel
	_ = json.Unmarshal(m["tiered_pricing"], &listed) // anything else counts as absent
	var all []liteRange
	for _, model := range listed {
		var tokens [2]float64
		if json.Unmarshal(model["range"], &tokens) == nil && model.number("input_cost_per_token") != "" {
			all = append(all, liteRange{int64(tokens[0]), model})
		}
	}
	slices.SortFunc(all, func(a, b liteRange) int { return cmp.Compare(a.above, b.above) })
	return all
}
