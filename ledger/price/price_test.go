package price

import (
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var priceDay = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// banded is a price with a band for long prompts.
func banded(short Rates, above int64, long Rates) Price {
	p := one(short)
	p.Bands = append(p.Bands, Band{Above: above, Rates: [tiers]Rates{Standard: long}})
	return p
}

func TestCost(t *testing.T) {
	mini := one(Rates{Input: 150e6, Cached: 75e6, CacheWrite: 150e6, Output: 600e6})
	long := banded(mini.Bands[0].Rates[Standard], 1000, Rates{Input: 300e6, Cached: 150e6, CacheWrite: 375e6, Output: 900e6})
	for _, tt := range []struct {
		name   string
		price  Price
		tokens Tokens
		want   int64
	}{
		{"nothing", mini, Tokens{}, 0},
		{"prompt and completion", mini, Tokens{Prompt: 12, Completion: 20}, 13_800},
		{"a part cached", mini, Tokens{Prompt: 2000, Cached: 1024, Completion: 1}, 976*150 + 1024*75 + 600},
		{"more cached than there was", mini, Tokens{Prompt: 10, Cached: 11}, 750},
		{"negative", mini, Tokens{Prompt: -1, Cached: -1, CacheWrite: -1, Completion: -1}, 0},
		{"written to the cache", long, Tokens{Prompt: 1001, Cached: 1, CacheWrite: 1000}, 1*150 + 1000*375},
		{"written for an hour, in part", long, Tokens{Prompt: 1001, Cached: 1, CacheWrite: 1000, CacheHour: 400},
			1*150 + 600*375 + 400*600},
		{"writes have no rate", one(Rates{Input: 150e6, Cached: 75e6}),
			Tokens{Prompt: 1000, Cached: 200, CacheWrite: 800, CacheHour: 300},
			200*75 + 500*375/2 + 300*300},
		{"an hour has a rate", one(Rates{Input: 1e9, CacheHour: 3e9}), Tokens{Prompt: 10, CacheWrite: 10, CacheHour: 10}, 30_000},
		{"more for an hour than written", mini, Tokens{Prompt: 10, CacheWrite: 4, CacheHour: 9}, 6*150 + 4*300},
		{"as long as is not long", long, Tokens{Prompt: 1000}, 150_000},
		{"long", long, Tokens{Prompt: 1001, Completion: 1}, 1001*300 + 900},
		{"a part of a billionth is one", one(Rates{Cached: 2_800_000}), Tokens{Prompt: 1, Cached: 1}, 3},
		{"rounded once", one(Rates{Cached: 2_800_000}), Tokens{Prompt: 10, Cached: 10}, 28},
		{"beyond 64 bits on the way", one(Rates{Output: 600e9}), Tokens{Completion: 1e12}, 600e15},
		{"beyond 64 bits", one(Rates{Output: 600e9}), Tokens{Completion: math.MaxInt64}, math.MaxInt64},
		{"between 63 bits and 64", one(Rates{Output: 600e9}), Tokens{Completion: 16e12}, math.MaxInt64},
		{"as much as there can be", one(Rates{Output: maxRate}), Tokens{Completion: math.MaxInt64}, math.MaxInt64},
	} {
		if got := tt.price.Cost(tt.tokens); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestBatchCost(t *testing.T) {
	prices := Default(priceDay)
	for _, tt := range []struct {
		provider, model string
		tokens          Tokens
		want            int64 // -1: none
	}{
		{"api.openai.com", "gpt-4o-mini", Tokens{Prompt: 1000, Cached: 500, Completion: 100}, 1000*75 + 100*300},
		{"api.openai.com", "gpt-5-mini", Tokens{Prompt: 1000, Cached: 400, Completion: 100}, 600*125 + 5000 + 100*1000},
		{"api.openai.com", "gpt-6-sol", Tokens{Prompt: 300_000, Completion: 100}, 300_000*2000 + 100*7500},
		{"api.anthropic.com", "claude-haiku-5-5", Tokens{Prompt: 200_000, Cached: 200_000}, 200_000 * 25},
		{"api.deepseek.com", "deepseek-flash", Tokens{Prompt: 1}, -1},
	} {
		price, _, ok := prices.Lookup(tt.provider, tt.model)
		if !ok {
			t.Fatalf("no price for %s", tt.model)
		}
		got, ok := price.BatchCost(tt.tokens)
		if !ok {
			got = -1
		}
		if got != tt.want {
			t.Errorf("%s: %d, want %d", tt.model, got, tt.want)
		}
		if worst, ok := price.WorstBatchCost(tt.tokens); ok != (tt.want >= 0) || ok && worst < got {
			t.Errorf("%s: %d at worst (%t), and %d", tt.model, worst, ok, got)
		}
	}
}

// exactCost is the cost in billionths times a million.
func exactCost(r Rates, t Tokens) *big.Int {
	sum := new(big.Int)
	write, hour := int64(r.CacheWrite), int64(r.CacheHour)
	if write == 0 {
		write = int64(math.Ceil(float64(r.Input) * 1.25))
	}
	if hour == 0 {
		hour = max(2*int64(r.Input), int64(r.CacheWrite))
	}
	for _, part := range [][2]int64{
		{t.Prompt - t.Cached - t.CacheWrite - t.AudioIn, int64(r.Input)}, {t.Cached, int64(r.Cached)},
		{t.CacheWrite - t.CacheHour, write}, {t.CacheHour, hour}, {t.AudioIn, int64(r.AudioIn)},
		{t.Completion - t.Reasoning - t.AudioOut, int64(r.Output)}, {t.Reasoning, int64(r.Reasoning)}, {t.AudioOut, int64(r.AudioOut)},
	} {
		sum.Add(sum, new(big.Int).Mul(big.NewInt(part[0]), big.NewInt(part[1])))
	}
	return sum
}

func drawRates(t *rapid.T) Rates {
	rate, published := rapid.Int64Range(0, 1e12), rapid.Int64Range(1, 1e12)
	return Rates{
		Reasoning: Dollars(published.Draw(t, "reasoning")),
		AudioIn:   Dollars(published.Draw(t, "audio in")), AudioOut: Dollars(published.Draw(t, "audio out")),
		Input: Dollars(rate.Draw(t, "input")), Cached: Dollars(rate.Draw(t, "cached")),
		CacheWrite: Dollars(rate.Draw(t, "write")), CacheHour: Dollars(rate.Draw(t, "hour")), Output: Dollars(rate.Draw(t, "output")),
	}
}

// drawPrice has a batch price, other tiers or none, and up to three bands for longer prompts.
func drawPrice(t *rapid.T) Price {
	price := Price{HasBatch: true}
	var above int64
	for range rapid.IntRange(1, 4).Draw(t, "bands") {
		band := Band{Above: above, Rates: [tiers]Rates{Standard: drawRates(t), Batched: drawRates(t)}}
		if rapid.Bool().Draw(t, "own") {
			band.Rates[Flex], band.Rates[Priority] = drawRates(t), drawRates(t)
		}
		price.Bands = append(price.Bands, band)
		above += rapid.Int64Range(1, 1e8).Draw(t, "above")
	}
	price.complete(batchTerms{}, false)
	return price
}

func drawTokens(t *rapid.T) Tokens {
	prompt := rapid.Int64Range(0, 1e9).Draw(t, "prompt")
	cached := rapid.Int64Range(0, prompt).Draw(t, "cached tokens")
	written := rapid.Int64Range(0, prompt-cached).Draw(t, "written tokens")
	completion := rapid.Int64Range(0, 1e9).Draw(t, "completion")
	reasoning := rapid.Int64Range(0, completion).Draw(t, "reasoning tokens")
	return Tokens{
		Prompt: prompt, Cached: cached, CacheWrite: written, CacheHour: rapid.Int64Range(0, written).Draw(t, "tokens for an hour"),
		AudioIn:    rapid.Int64Range(0, prompt-cached-written).Draw(t, "audio tokens"),
		Completion: completion, Reasoning: reasoning, AudioOut: rapid.Int64Range(0, completion-reasoning).Draw(t, "spoken tokens"),
	}
}

// The cost is the exact one, rounded up by less than a billionth of a dollar, however large.
func TestCostIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rates, tokens := drawRates(t), drawTokens(t)
		exact := exactCost(rates, tokens)
		got := new(big.Int).Mul(big.NewInt(one(rates).Cost(tokens)), big.NewInt(rateUnit))
		if over := got.Sub(got, exact); over.Sign() < 0 || over.Cmp(big.NewInt(rateUnit)) >= 0 {
			t.Fatalf("%v millionths of a billionth over", over)
		}
	})
}

// Many requests cost what one would of all their tokens, but for less than a billionth each.
func TestCostsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := one(drawRates(t))
		var sum int64
		var all Tokens
		parts := rapid.SliceOfN(rapid.Custom(drawTokens), 1, 20).Draw(t, "requests")
		for _, p := range parts {
			sum += price.Cost(p)
			all.Prompt, all.Cached, all.CacheWrite = all.Prompt+p.Prompt, all.Cached+p.Cached, all.CacheWrite+p.CacheWrite
			all.CacheHour += p.CacheHour
			all.Completion, all.Reasoning, all.AudioOut = all.Completion+p.Completion, all.Reasoning+p.Reasoning, all.AudioOut+p.AudioOut
			all.AudioIn += p.AudioIn
		}
		if over := sum - price.Cost(all); over < 0 || over >= int64(len(parts)) {
			t.Fatalf("%d requests cost %d billionths too much", len(parts), over)
		}
	})
}

// No request costs more than its worst case.
func TestWorstCostIsNoLessThanCost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := drawPrice(t)
		bound, used := drawTokens(t), drawTokens(t)
		used.Prompt, used.Completion = min(used.Prompt, bound.Prompt), min(used.Completion, bound.Completion)
		used.CacheWrite, used.CacheHour = min(used.CacheWrite, bound.CacheWrite), min(used.CacheHour, bound.CacheHour)
		used.AudioIn, used.AudioOut = min(used.AudioIn, bound.AudioIn), min(used.AudioOut, bound.AudioOut)
		if cost, worst := price.Cost(used), price.WorstCost(bound); cost > worst {
			t.Fatalf("%d, and %d at worst", cost, worst)
		}
		cost, _ := price.BatchCost(used)
		if worst, _ := price.WorstBatchCost(bound); cost > worst {
			t.Fatalf("%d in a batch, and %d at worst", cost, worst)
		}
	})
}

func TestParseRate(t *testing.T) {
	for _, tt := range []struct {
		number string
		unit   unit
		want   Dollars // -1: an error
	}{
		{"0", perToken, 0}, {"0.0", perMillion, 0}, {"2", perMillion, 2e9}, {"0.15", perMillion, 150e6}, {"0.003625", perMillion, 3_625_000},
		{"1.5e-07", perToken, 150e6}, {"6e-7", perToken, 600e6}, {"0.0000006", perToken, 600e6}, {"5.46875e-07", perToken, 546_875_000},
		{"1.9999999999999998e-06", perToken, 2e9}, {"7.000000000000001e-08", perToken, 70e6}, {"4e-16", perToken, 0}, {"5e-16", perToken, 1},
		{"1E-300", perToken, 0}, {"1", perToken, maxRate}, {"600", perMillion, 600e9},
		{"1.1", perToken, -1}, {"1000001", perMillion, -1}, {"1e400", perMillion, -1}, {"1e99999999999999999999", perMillion, -1},
		{"-1", perMillion, -1}, {"", perMillion, -1}, {"x", perMillion, -1}, {"1.-5", perMillion, -1}, {".5", perMillion, -1},
	} {
		got, err := parseRate(tt.number, tt.unit)
		if err != nil {
			got = -1
		}
		if got != tt.want {
			t.Errorf("%q: %d (%v), want %d", tt.number, int64(got), err, int64(tt.want))
		}
	}
}

// A price that a table writes in full is read back to the last digit, in either unit.
func TestParseRateIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := Dollars(rapid.Int64Range(0, int64(maxRate)).Draw(t, "rate"))
		for unit, number := range map[unit]string{perMillion: rate.String(), perToken: rate.String() + "e-6"} {
			if got, err := parseRate(number, unit); err != nil || got != rate {
				t.Fatalf("%s: %d, %v", number, int64(got), err)
			}
		}
	})
}

func BenchmarkLookupAndCost(b *testing.B) {
	prices := Default(priceDay)
	tokens := Tokens{Prompt: 1200, Cached: 1024, Completion: 300}
	var sum int64
	b.ReportAllocs()
	for b.Loop() {
		price, _, _ := prices.Lookup("api.openai.com", "gpt-4o-mini-2024-07-18")
		sum += price.Cost(tokens)
	}
	if sum == 0 {
		b.Fatal("no price")
	}
}

func BenchmarkLookupNew(b *testing.B) {
	prices := Default(priceDay)
	b.ReportAllocs()
	for b.Loop() {
		if prices.find("api.openai.com", "gpt-4o-mini-2024-07-18") == nil {
			b.Fatal("no price")
		}
	}
}

func BenchmarkDefaultPrices(b *testing.B) {
	for b.Loop() {
		Default(priceDay)
	}
}

// Many requests together cost what they cost one by one, where each rounds up by less than a
// billionth of a dollar.
func TestSumCost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := Price{
			Bands: []Band{
				{Rates: [tiers]Rates{{Input: 1_500_001, Output: 7_000_003}}},
				{Above: 1000, Rates: [tiers]Rates{{Input: 3_000_000, Output: 9_000_000}}},
			},
			Fees: Fees{Request: 5_000},
		}
		above := rapid.SampledFrom([]int64{0, 1000}).Draw(t, "above")
		var sum Tokens
		var longest, want int64
		n := rapid.Int64Range(1, 20).Draw(t, "n")
		for range n {
			one := Tokens{Prompt: above + rapid.Int64Range(1, 1000).Draw(t, "prompt"), Completion: rapid.Int64Range(0, 1e6).Draw(t, "completion")}
			sum.Prompt, sum.Completion = sum.Prompt+one.Prompt, sum.Completion+one.Completion
			longest, want = max(longest, one.Prompt), want+price.Cost(one)
		}
		if got := price.SumCost(n, longest, sum); got > want || got < want-n {
			t.Errorf("%d requests of %+v together cost %d, want %d or a little less", n, sum, got, want)
		}
	})
}
