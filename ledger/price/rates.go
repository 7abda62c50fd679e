package price

import (
	"math"
	"math/bits"
)

// Rates are prices in billionths of a US dollar for a million tokens, so that every list price,
// down to a billionth of a dollar a million tokens, is a whole number. But for the input's, the
// cached and the output's, 0 says that none is published.
type Rates struct {
	Input      Dollars // the prompt, as far as no other rate is for it
	Cached     Dollars // of the prompt, read from the provider's cache
	CacheWrite Dollars // of the prompt, written to the provider's cache; 0: a usual rate, see [Rates.write]
	CacheHour  Dollars // of that, to be kept for an hour; 0: a usual rate, see [Rates.hour]
	Output     Dollars // the completion, as far as no other rate is for it
	Reasoning  Dollars // of the completion, not seen; 0: as the output

	AudioIn     Dollars // of the prompt, sound; 0: as the input
	AudioCached Dollars // of that, read from the cache; 0: as sound that is not
	AudioOut    Dollars // of the completion, sound; 0: as the output
	ImageIn     Dollars // of the prompt, images; 0: as the input
	ImageOut    Dollars // of the completion, images; 0: as the output
}

// rateUnit is how many tokens a rate is for.
const rateUnit = 1_000_000

// write is the rate of writing to the cache. Without one of its own it is 1.25 times the input's,
// as everywhere where writing costs: at Anthropic (platform.claude.com/docs/en/about-claude/pricing),
// at OpenAI from GPT-5.6 on, and in Alibaba's Model Studio.
func (r *Rates) write() Dollars {
	if r.CacheWrite > 0 {
		return r.CacheWrite
	}
	return (5*r.Input + 3) / 4
}

// hour is the rate of writing what is to be kept for an hour: without one of its own twice the
// input's, which is Anthropic's.
func (r *Rates) hour() Dollars {
	if r.CacheHour > 0 {
		return r.CacheHour
	}
	return max(2*r.Input, r.CacheWrite)
}

// or is a rate, or another where it is not published.
func (d Dollars) or(other Dollars) Dollars {
	if d > 0 {
		return d
	}
	return other
}

// cost bears what a provider may say by mistake: parts that are more than the whole, or negative.
// Of a prompt with sound or images its text is taken for the part that was cached or written first.
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

// parts are the tokens of a prompt or a completion by what they are, or the rates of each.
type parts struct{ text, audio, image int64 }

// part makes so many of the text tokens something else.
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

// worst is the most that a request with at most so many tokens can cost. Where most has none that
// are written to the cache or sound, none of them are.
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

// each is the rates with something done to each of them; 0 stays what it is.
func (r *Rates) each(f func(Dollars) Dollars) Rates {
	return Rates{
		Input: f(r.Input), Cached: f(r.Cached), CacheWrite: f(r.CacheWrite), CacheHour: f(r.CacheHour),
		Output: f(r.Output), Reasoning: f(r.Reasoning),
		AudioIn: f(r.AudioIn), AudioCached: f(r.AudioCached), AudioOut: f(r.AudioOut), ImageIn: f(r.ImageIn), ImageOut: f(r.ImageOut),
	}
}

// percent are the rates at so many hundredths, rounded up to a billionth of a dollar.
func (r *Rates) percent(p int64) Rates {
	return r.each(func(d Dollars) Dollars { return (d*Dollars(p) + 99) / 100 })
}

// atLeast takes each rate from other where that is dearer.
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

// whole has the price of cached tokens where none is published.
func (r Rates) whole() Rates {
	r.Cached = r.Cached.or(r.Input)
	return r
}

// with has what others have for sound, images and reasoning, where the rates have nothing for them.
func (r Rates) with(others *Rates) Rates {
	r.AudioIn, r.AudioCached = r.AudioIn.or(others.AudioIn), r.AudioCached.or(others.AudioCached)
	r.AudioOut, r.ImageIn, r.ImageOut = r.AudioOut.or(others.AudioOut), r.ImageIn.or(others.ImageIn), r.ImageOut.or(others.ImageOut)
	if others.Reasoning > others.Output {
		r.Reasoning = r.Reasoning.or(others.Reasoning)
	}
	return r
}

// sum128 adds up tokens times rates, which 64 bits do not always hold: a billion tokens at 600
// dollars a million is 6e20.
type sum128 struct{ high, low uint64 }

// add takes no negative numbers.
func (s *sum128) add(tokens int64, rate Dollars) {
	high, low := bits.Mul64(uint64(tokens), uint64(rate))
	var carry uint64
	s.low, carry = bits.Add64(s.low, low, 0)
	s.high, _ = bits.Add64(s.high, high, carry)
}

// divide divides by rateUnit. What no int64 holds becomes the largest one.
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
