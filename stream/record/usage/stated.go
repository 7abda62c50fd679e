package usage

import (
	"math"
	"strconv"

	"llmpipe/stream/record/rawjson"
)

// statedCost gathers the cost that a usage object states.
type statedCost struct {
	cost     float64 // in 1e-9 USD
	upstream float64 // in 1e-9 USD; what another provider bills for the answer, to the account's own key there
	said     bool
	told     bool // upstream is stated
	byok     bool // the request used such a key, and cost is only the router's part
}

// The units that costs are stated in, in 1e-9 USD.
const (
	dollars = 1e9
	ticks   = 0.1 // docs.x.ai/developers/cost-tracking
)

// read takes a member about the cost, and reports whether it is one. A cost that is an object is
// Perplexity's: it holds the parts, and their total.
func (s *statedCost) read(w *rawjson.Walk) bool {
	switch string(w.Name) {
	case "cost": // OpenRouter's, whose credits are dollars
		value := w.Value()
		if currency := rawjson.MemberOf(value, "currency"); currency != nil && string(currency) != `"USD"` {
			return true
		}
		if total := rawjson.MemberOf(value, "total_cost"); total != nil {
			value = total
		}
		s.take(value, dollars)
	case "estimated_cost", "cost_usd_total": // DeepInfra's and LLM Gateway's
		s.take(w.Value(), dollars)
	case "cost_in_usd_ticks": // xAI's
		s.take(w.Value(), ticks)
	case "cost_details":
		s.upstream, s.told = amount(rawjson.MemberOf(w.Value(), "upstream_inference_cost"), dollars)
	case "is_byok":
		s.byok = string(w.Value()) == "true"
	default:
		return false
	}
	return true
}

// take takes a cost. Of several costs the largest counts, so that a zero does not replace a number.
func (s *statedCost) take(value []byte, unit float64) {
	if cost, ok := amount(value, unit); ok {
		s.cost, s.said = max(s.cost, cost), true
	}
}

// whole returns the whole cost, and reports whether it is stated.
func (s *statedCost) whole() (Cost, bool) {
	switch {
	case !s.said || s.byok && !s.told:
		return Cost{}, false
	case s.byok:
		return costOf(s.cost + s.upstream), true
	}
	return costOf(s.cost), true
}

// Cost is an amount of money, in units so small that the sum of many loses nothing.
type Cost struct {
	Nanos int64 // 1e-9 USD
	Rest  int64 // what is left beyond Nanos, in 1e-15 USD
}

// costOf makes a cost from an amount in 1e-9 USD. It rounds to the nearest 1e-15 USD.
func costOf(nanos float64) Cost {
	const unit = 1e6
	c := Cost{Nanos: int64(math.Floor(nanos))}
	if c.Rest = int64(math.Round((nanos - math.Floor(nanos)) * unit)); c.Rest == unit {
		c.Nanos, c.Rest = c.Nanos+1, 0
	}
	return c
}

// maxStated is more than any request costs, in 1e-9 USD: a million dollars.
const maxStated = 1e6 * dollars

// amount reads an amount in a unit, and returns it in 1e-9 USD. It reports false for an amount that
// no request can cost.
func amount(value []byte, unit float64) (float64, bool) {
	if !rawjson.IsNumber(value) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(value), 64)
	f *= unit
	return f, err == nil && f >= 0 && f <= maxStated
}

// ParseCost reads a cost in US dollars from outside of a body, such as from a header.
func ParseCost(text string) (Cost, bool) {
	f, ok := amount([]byte(text), dollars)
	if !ok || !rawjson.Valid([]byte(text)) {
		return Cost{}, false
	}
	return costOf(f), true
}
