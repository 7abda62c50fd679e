package price

import (
	"math"
	"math/bits"
)

// Rates are prices in billionths of a US dollar for a million tokens, so that every list price,
// down to a billionth of a dollar for a million tokens, is a whole number. A rate of 0 is not
// published, except for Input, Cached and Output.
type Rates struct {
	Input      Dollars // the prompt, unless another rate applies
	Cached     Dollars // of the prompt, read from the provider's cache
	CacheWrite Dollars // of the prompt, written to the provider's cache; 0: a usual rate, see [Rates.write]
	CacheHour  Dollars // of CacheWrite, kept for an hour; 0: a usual rate, see [Rates.hour]
	Output     Dollars // the completion, unless another rate applies
	Reasoning  Dollars // of the completion, hidden; 0: Output

	AudioIn     Dollars // of the prompt, sound; 0: Input
	AudioCached Dollars // of AudioIn, read from the cache; 0: as AudioIn
	AudioOut    Dollars // of the completion, sound; 0: Output
	ImageIn     Dollars // of the prompt, images; 0: Input
	ImageOut    Dollars // of the completion, images; 0: Output
}

// rateUnit is how many tokens a rate is for.
const rateUnit = 1_000_000

// write returns the rate of writing to the cache. If none is published, it is 1.25 times the
// input's, which is the rate of every provider that charges for writes: Anthropic
// (platform.claude.com/docs/en/about-claude/pricing), OpenAI from GPT-5.6 on, and Alibaba's Model
// Studio.
func (r *Rates) write() Dollars {
	if r.CacheWrite > 0 {
		return r.CacheWrite
	}
	return (5*r.Input + 3) / 4
}

// hour returns the rate of writes that are kept for an hour. If none is published, it is twice the
// input's, as at Anthropic, and at least CacheWrite.
func (r *Rates) hour() Dollars {
	if r.CacheHour > 0 {
		return r.CacheHour
	}
	return max(2*r.Input, r.CacheWrite)
}

// or returns d, or other if d is not published.
func (d Dollars) or(other Dollars) Dollars {
	if d > 0 {
		return d
	}
	return other
}

// cost returns the exact cost of the tokens. It tolerates a provider's mistakes: parts that are
// negative or larger than the whole. If a prompt has sound or images, its text counts first as the
// part that was cached or written.
func (r *Rates) cost(t *Tokens) sum128 {
	var s sum128
	prompt := parts{text: max(t.Prompt, 0)}
	prompt.part(&prompt.audio, t.AudioIn)
	prompt.part(&prompt.image, t.ImageIn)
	audio := r.AudioIn.or(r.Input)
	prompt.take(&s, t.Cached, parts{int64(r.Cached), int64(r.AudioCached.or(audio)), int64(r.Cached)})
	hour, write := int64(r.hour()), int64(r.write())
	kept := min(t.CacheHour, t.CacheWrite)
	prompt.take(&s, kept, parts{hour, max(hour, int64(audio)), hour})
	prompt.take(&s, t.CacheWrite-max(kept, 0), parts{write, max(write, int64(audio)), write})
	s.add(prompt.text, r.Input)
	s.add(prompt.audio, audio)
	s.add(prompt.image, r.ImageIn.or(r.Input))

	completion := parts{text: max(t.Completion, 0)}
	completion.part(&completion.audio, t.AudioOut)
	completion.part(&completion.image, t.ImageOut)
	reasoning := min(max(t.Reasoning, 0), completion.text)
	s.add(reasoning, r.Reasoning.or(r.Output))
	s.add(completion.text-reasoning, r.Output)
	s.add(completion.audio, r.AudioOut.or(r.Output))
	s.add(completion.image, r.ImageOut.or(r.Output))
	return s
}

// parts are the tokens of a prompt or a completion by their kind, or the rate of each kind.
type parts struct{ text, audio, image int64 }

// part turns n of the text tokens into another kind.
func (p *parts) part(of *int64, n int64) {
	*of = min(max(n, 0), p.text)
	p.text -= *of
}

// take adds n of the tokens to the sum, each at the rate for its kind, and leaves the others.
func (p *parts) take(s *sum128, n int64, rates parts) {
	for _, kind := range [...]struct {
		left *int64
		rate int64
	}{{&p.text, rates.text}, {&p.image, rates.image}, {&p.audio, rates.audio}} {
		k := min(max(n, 0), *kind.left)
		s.add(k, Dollars(kind.rate))
		*kind.left -= k
		n -= k
	}
}

// worst returns the most that a request with at most so many tokens can cost. The rates for sound
// and for an hour in the cache count only if most has such tokens. So does the usual rate for cache
// writes if none is published.
func (r *Rates) worst(most *Tokens) int64 {
	input, output := max(r.Input, r.Cached, r.CacheWrite, r.ImageIn), max(r.Output, r.Reasoning, r.ImageOut)
	if most.CacheWrite > 0 {
		input = max(input, r.write())
	}
	if most.CacheHour > 0 {
		input = max(input, r.hour())
	}
	if most.AudioIn > 0 {
		input = max(input, r.AudioIn, r.AudioCached)
	}
	if most.AudioOut > 0 {
		output = max(output, r.AudioOut)
	}
	dearest := Rates{Input: input, Output: output}
	sum := dearest.cost(&Tokens{Prompt: most.Prompt, Completion: most.Completion})
	return sum.perUnit()
}

// each returns the rates with f applied to each of them.
func (r *Rates) each(f func(Dollars) Dollars) Rates {
	return Rates{
		Input: f(r.Input), Cached: f(r.Cached), CacheWrite: f(r.CacheWrite), CacheHour: f(r.CacheHour),
		Output: f(r.Output), Reasoning: f(r.Reasoning),
		AudioIn: f(r.AudioIn), AudioCached: f(r.AudioCached), AudioOut: f(r.AudioOut), ImageIn: f(r.ImageIn), ImageOut: f(r.ImageOut),
	}
}

// percent returns p hundredths of the rates, each rounded up to a whole billionth of a dollar.
func (r *Rates) percent(p int64) Rates {
	return r.each(func(d Dollars) Dollars { return (d*Dollars(p) + 99) / 100 })
}

// atLeast returns the dearer of each two rates.
func (r Rates) atLeast(other Rates) Rates {
	dearer := Rates{
		Input: max(r.Input, other.Input), Cached: max(r.Cached, other.Cached), Output: max(r.Output, other.Output),
		Reasoning: max(r.Reasoning, other.Reasoning),
		AudioIn:   max(r.AudioIn, other.AudioIn), AudioCached: max(r.AudioCached, other.AudioCached),
		AudioOut: max(r.AudioOut, other.AudioOut), ImageIn: max(r.ImageIn, other.ImageIn), ImageOut: max(r.ImageOut, other.ImageOut),
	}
	if r.CacheWrite > 0 || other.CacheWrite > 0 {
		dearer.CacheWrite = max(r.write(), other.write())
	}
	if r.CacheHour > 0 || other.CacheHour > 0 {
		dearer.CacheHour = max(r.hour(), other.hour())
	}
	return dearer
}

// whole returns the rates with a price for cached tokens: the input's if none is published.
func (r Rates) whole() Rates {
	r.Cached = r.Cached.or(r.Input)
	return r
}

// with returns the rates with those of others for sound and images where r has none. It takes the
// rate for reasoning, too, if that is higher than the output's.
func (r Rates) with(others *Rates) Rates {
	r.AudioIn, r.AudioCached = r.AudioIn.or(others.AudioIn), r.AudioCached.or(others.AudioCached)
	r.AudioOut, r.ImageIn, r.ImageOut = r.AudioOut.or(others.AudioOut), r.ImageIn.or(others.ImageIn), r.ImageOut.or(others.ImageOut)
	if others.Reasoning > others.Output {
		r.Reasoning = r.Reasoning.or(others.Reasoning)
	}
	return r
}

// sum128 is a sum of tokens times rates, which 64 bits cannot always hold: a billion tokens at 600
// dollars a million are 6e20.
type sum128 struct{ high, low uint64 }

// add adds the product, whose factors must not be negative.
func (s *sum128) add(tokens int64, rate Dollars) {
	high, low := bits.Mul64(uint64(tokens), uint64(rate))
	var carry uint64
	s.low, carry = bits.Add64(s.low, low, 0)
	s.high, _ = bits.Add64(s.high, high, carry)
}

// divide divides by rateUnit. If the quotient overflows, it is the largest int64.
func (s *sum128) divide() (quotient, rest int64) {
	if s.high >= rateUnit {
		return math.MaxInt64, 0
	}
	q, r := bits.Div64(s.high, s.low, rateUnit)
	if q > math.MaxInt64 {
		return math.MaxInt64, 0
	}
	return int64(q), int64(r)
}

// perUnit divides by rateUnit and rounds up.
func (s *sum128) perUnit() int64 {
	quotient, rest := s.divide()
	if rest > 0 {
		return add(quotient, 1)
	}
	return quotient
}
