package record

import (
	"math"
	"strconv"

	"llmpipe/stream/record/rawjson"
)

// Usage counts tokens, as the provider bills them.
type Usage struct {
	Prompt     int64 // all of the prompt, Cached included
	Completion int64 // all of the output, Reasoning included
	Total      int64 // the sum of both
	Cached     int64 // of the prompt, read from the provider's cache
	Reasoning  int64 // of the completion, not seen
	CacheWrite int64 // of the prompt, written to the provider's cache
	CacheHour  int64 // of CacheWrite, to be kept for an hour
}

// usageReader gathers the counts of a usage object, whoever spelt them. Gateways write both of
// OpenAI's spellings at once, those of the API that was not asked zero or null.
type usageReader struct {
	counts    Usage
	minutes   int64 // written to the cache for five minutes
	anthropic bool  // cached tokens are told as Anthropic does, whose input_tokens are the rest
	prompted  bool  // OpenAI's prompt_tokens are told, which are all
	counted   bool  // it holds one of the three counts that are billed
	senseless bool  // it holds what is no count
}

// parseUsage reads a usage object, and the tier that it names, a string. ok is false where no count
// is there, or one that no request can have: then nobody knows what is billed.
func parseUsage(e Endpoint, src []byte) (u Usage, tier []byte, ok bool) {
	var r usageReader
	for w := rawjson.WalkAt(src, 0); w.Next(); {
		switch string(w.Name) {
		case "prompt_tokens":
			r.bill(&r.counts.Prompt, w.Value())
			r.prompted = r.counts.Prompt > 0
		case "input_tokens":
			r.bill(&r.counts.Prompt, w.Value())
		case "completion_tokens", "output_tokens":
			r.bill(&r.counts.Completion, w.Value())
		case "total_tokens":
			r.bill(&r.counts.Total, w.Value())
		case "prompt_tokens_details", "input_tokens_details":
			for in := rawjson.WalkAt(w.Value(), 0); in.Next(); {
				r.readCache(&in)
			}
		case "completion_tokens_details", "output_tokens_details":
			r.count(&r.counts.Reasoning, rawjson.MemberOf(w.Value(), "reasoning_tokens"))
		case "reasoning_tokens": // Perplexity's
			r.count(&r.counts.Reasoning, w.Value())
		case "cache_read_input_tokens", "cache_creation_input_tokens":
			r.anthropic = true
			r.readCache(&w)
		case "service_tier":
			tier = rawjson.TextOf(w.Value())
		default:
			r.readCache(&w)
		}
	}
	if r.senseless || !r.counted {
		return Usage{}, tier, false
	}
	r.settle(e)
	return r.counts, tier, true
}

// readCache reads a member about the provider's cache. They stand beside the counts or in their
// details: DeepSeek's, Moonshot's and Anthropic's beside, OpenAI's, OpenRouter's, LiteLLM's and
// DashScope's inside.
func (r *usageReader) readCache(w *rawjson.Walk) {
	switch string(w.Name) {
	case "cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens":
		r.count(&r.counts.Cached, w.Value())
	case "cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens":
		r.count(&r.counts.CacheWrite, w.Value())
	case "cache_creation", "cache_creation_token_details":
		r.count(&r.minutes, rawjson.MemberOf(w.Value(), "ephemeral_5m_input_tokens"))
		r.count(&r.counts.CacheHour, rawjson.MemberOf(w.Value(), "ephemeral_1h_input_tokens"))
	}
}

// bill is count for what makes a usage one.
func (r *usageReader) bill(n *int64, value []byte) {
	if !rawjson.IsNull(value) {
		r.counted = true
		r.count(n, value)
	}
}

// count takes a count. Of several in one place the largest holds, so that neither zero nor null
// takes the place of a number.
func (r *usageReader) count(n *int64, value []byte) {
	if rawjson.IsNull(value) {
		return
	}
	count, ok := tokens(value)
	*n, r.senseless = max(*n, count), r.senseless || !ok
}

// settle finds the place of tokens that are in the total alone. xAI and Gemini's OpenAI endpoint
// bill reasoning beside the completion; Voyage tells the total and no more, and embeddings have no
// output.
func (r *usageReader) settle(e Endpoint) {
	r.counts.CacheWrite = max(r.counts.CacheWrite, r.minutes+r.counts.CacheHour)
	if e != Embeddings && r.cacheApart() {
		r.counts.Prompt += r.counts.Cached + r.counts.CacheWrite
	}
	if r.counts.Reasoning > r.counts.Completion {
		r.counts.Completion += r.counts.Reasoning // it cannot be a part of less
	}
	if rest := r.counts.Total - r.counts.Prompt - r.counts.Completion; rest > 0 {
		if e == Embeddings {
			r.counts.Prompt += rest
		} else {
			r.counts.Completion += rest
		}
	}
	r.counts.Total = r.counts.Prompt + r.counts.Completion
}

// cacheApart tells whether the tokens read from the cache and written to it are beside the prompt's
// count, not a part of it. The total says so where there is one, and else whose spelling it is.
func (r *usageReader) cacheApart() bool {
	c := &r.counts
	cache, rest := c.Cached+c.CacheWrite, c.Total-c.Prompt-c.Completion
	switch {
	case cache == 0:
		return false
	case cache > c.Prompt:
		return true
	case c.Total > 0 && (rest == 0 || rest == c.Reasoning):
		return false
	case rest == cache || rest == cache+c.Reasoning:
		return true
	}
	return r.anthropic && !r.prompted && (c.Total == 0 || rest > cache)
}

// maxTokenCount bounds a count: no request has a billion tokens. The largest context windows hold
// some millions, and the largest requests for embeddings less.
const maxTokenCount = 1_000_000_000

// tokens returns a count of tokens, and whether the value is one.
func tokens(value []byte) (n int64, ok bool) {
	if n, ok = wholeNumber(value); ok {
		return min(n, maxTokenCount), n <= maxTokenCount
	}
	if !rawjson.IsNumber(value) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(value), 64) // 12.0, as some servers write
	if err != nil || f < 0 || f > maxTokenCount || f != math.Trunc(f) {
		return 0, false
	}
	return int64(f), true
}

// wholeNumber returns a value that is nothing but some digits, as nearly all counts are.
func wholeNumber(value []byte) (n int64, ok bool) {
	const most = 15 // of which none overflow
	if len(value) == 0 || len(value) > most {
		return 0, false
	}
	for _, c := range value {
		if !rawjson.IsDigit(c) {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}
