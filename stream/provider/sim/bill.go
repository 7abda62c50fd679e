package sim

import "bytes"

// tariff is what a provider charges, in billionths of a dollar: for each token, and as fee for each
// request. The figures are repeated here, apart from any table of prices, so that the cost that a
// client computes from a usage is compared with what was billed.
type tariff struct{ input, cached, write, hour, output, audioIn, audioOut, fee int64 }

// The tokens that some providers count apart: one token in so many is of that kind.
const (
	cachedPart  = 3 // of a prompt: read from the cache
	writtenPart = 4 // of a prompt: written to the cache, if the request marks something
	hourPart    = 2 // of those written: kept for an hour, if the request says so
	audioPart   = 2 // of a prompt and of a visible answer: audio
)

// invoice is what is billed for one answer.
type invoice struct {
	usage
	audioIn, audioOut int
	tier              string // the service_tier that the request asked for and got; "" for none
	nanos             int64  // of a dollar
}

// bill makes the invoice of an answer.
func (b *billing) bill(q *request, u usage) invoice {
	i := invoice{usage: u}
	if q.endpoint == nil || !q.endpoint.anthropic { // Anthropic's endpoint simulates its cache instead
		i.cached = b.fromCache(q, u.prompt)
	}
	if b.speaks {
		i.audioIn, i.audioOut = u.prompt/audioPart, (u.completion-u.reasoning)/audioPart
	}
	t := &b.tariff
	i.nanos = int64(u.prompt-i.read-i.write-i.audioIn)*t.input + int64(i.read)*t.cached +
		int64(i.write-i.hour)*t.write + int64(i.hour)*t.hour + int64(i.audioIn)*t.audioIn +
		int64(u.completion-i.audioOut)*t.output + int64(i.audioOut)*t.audioOut
	percent := int64(100)
	if b.tiers {
		switch i.tier = q.tier; i.tier {
		case "flex":
			percent = 50
		case "priority":
			percent = 200
		}
	}
	i.nanos = (i.nanos*percent+99)/100 + t.fee
	return i
}

// fromCache returns how much of a prompt is read from the cache and how much is written to it.
func (b *billing) fromCache(q *request, prompt int) (c cached) {
	if b.caches {
		c.read = prompt / cachedPart
	}
	if b.writes && bytes.Contains(q.body, []byte(`"cache_control"`)) {
		c.write = prompt / writtenPart
		if b.tariff.hour > 0 && bytes.Contains(q.body, []byte(`"1h"`)) {
			c.hour = c.write / hourPart
		}
	}
	return c
}
