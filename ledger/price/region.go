package price

import (
	"slices"
	"strconv"
	"strings"
)

// regionalPercent is what a request costs at a host of one region, in hundredths of the price
// elsewhere. OpenAI charges 10 % more there for models released on or after 2026-03-05
// (developers.openai.com/api/docs/guides/data-residency).
const regionalPercent = 110

// The first of OpenAI's models that costs more at a regional host: GPT-5.4, released on 2026-03-05.
const regionalSince, regionalSinceMinor = 5, 4

// regionalModel reports whether a model costs more at a regional host. It takes the model's key:
// gpt-5-4-mini and gpt-6-sol cost more, gpt-5-2 and o3 do not.
func regionalModel(key string) bool {
	rest, ok := strings.CutPrefix(key, "gpt-")
	if !ok {
		return false
	}
	number, rest := leadingNumber(rest)
	minor := 0
	if len(rest) > 0 && rest[0] == '-' {
		minor, _ = leadingNumber(rest[1:])
	}
	return number > regionalSince || number == regionalSince && minor >= regionalSinceMinor && minor < maxMinor
}

// maxMinor is more than any minor version. A larger number is a year: gpt-5-2025-08-07.
const maxMinor = 1000

// leadingNumber returns the number that a text begins with, or 0 if there is none.
func leadingNumber(text string) (n int, rest string) {
	end := 0
	for end < len(text) && '0' <= text[end] && text[end] <= '9' {
		end++
	}
	n, _ = strconv.Atoi(text[:end])
	return n, text[end:]
}

// percent returns the price at so many hundredths.
func (p Price) percent(hundredths int64) Price {
	bands := make([]Band, len(p.Bands))
	for i := range p.Bands {
		bands[i].Above = p.Bands[i].Above
		for tier := range p.Bands[i].Rates {
			bands[i].Rates[tier] = p.Bands[i].Rates[tier].percent(hundredths)
		}
	}
	p.Bands = bands
	return p
}

// isRegional reports whether a host, without its port, serves from one region.
func (at *provider) isRegional(host string) bool {
	return slices.ContainsFunc(at.regional, func(end string) bool { return strings.HasSuffix(host, end) })
}

// priceAt returns what the model costs at a host of the provider at.
func (m *listing) priceAt(at *provider, host string) Price {
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	if at == nil || at.id != m.provider || !at.isRegional(host) {
		return m.price
	}
	percent := m.regional
	if percent == 0 && regionalModel(modelKey(m.name)) {
		percent = regionalPercent
	}
	if percent == 0 {
		return m.price
	}
	return m.price.percent(percent)
}
