package sim

import "bytes"

// tariff is what a provider charges, in billionths of a dollar a token, and for each request. The
// figures stand here once more, beside any table of prices, so that what a client makes of a usage
// is measured against what was billed.
type tariff struct{ input, cached, write, hour, output, audioIn, audioOut, fee int64 }

// Parts of a prompt, of those whose provider counts them apart: one in so many tokens.
const (
	cachedPart  = 3 // is read from the cache
	writtenPart = 4 // is written to it, where the request marks something
	hourPart    = 2 // of that, to be kept for an hour, where it says so
	audioPart   = 2 // is sound
)

// invoice is what one answer is billed for.
type invoice struct {
	usage
	audioIn, audioOut int
	tier              string // asked for and given; empty for the standard one
	nanos             int64  // of a dollar
}

// bill makes the invoice of an answer.
func (b *billing) bill(q *request, u usage) invoice {
	i := invoice{usage: u}
	if q.endpoint == nil || !q.endpoint.anthropic { // whose cache is simulated
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

// fromCache is what of a prompt is read from the cache and written to it.
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
