package usage

import (
	"math"
	"strconv"

	"llmpipe/stream/record/rawjson"
)

// Counts are what an answer is billed for, in tokens.
type Counts struct {
	Prompt     int64 // all of the prompt, Cached included
	Completion int64 // all of the output, Reasoning included
	Total      int64 // the sum of both
	Cached     int64 // part of Prompt: read from the provider's cache
	Reasoning  int64 // part of Completion: not part of the visible answer
	CacheWrite int64 // part of Prompt: written to the provider's cache
	CacheHour  int64 // part of CacheWrite: kept for an hour
	AudioIn    int64 // part of Prompt: sound
	AudioOut   int64 // part of Completion: sound
	ImageIn    int64 // part of Prompt: images
	ImageOut   int64 // part of Completion: images
	Searches   int64 // web searches, which are not tokens
}

// reader gathers the counts of a usage object, in any provider's spelling. Gateways write both of
// OpenAI's spellings at once; those of the API that was not asked are zero or null.
type reader struct {
	counts    Counts
	minutes   int64 // written to the cache for five minutes
	stated    statedCost
	tier      []byte // the service_tier, a string
	context   []byte // the search_context_size, a string
	uncounted bool   // something is billed that is not counted in tokens or searches
	anthropic bool   // cached tokens are spelt as Anthropic's, whose input_tokens are the rest of the prompt
	prompted  bool   // it holds OpenAI's prompt_tokens, which are the whole prompt
	counted   bool   // it holds one of the three counts that are billed
	senseless bool   // it holds something that cannot be a count
}

// Usage is what a usage object says. Its slices are JSON strings, and parts of the object.
type Usage struct {
	Counts    Counts
	Counted   bool   // it holds counts, and all of them can be read
	Tier      []byte // the service_tier, or "fast" for Anthropic's fast mode; nil if it names none
	Context   []byte // the search_context_size of web searches; nil if it does not say
	Uncounted bool   // something is billed that Counts does not count: seconds of sound
	Stated    Cost   // what the provider says that the answer costs
	HasStated bool   // the provider states a cost
}

// Read reads a usage object. Without a count, or with one that no request can have, what is billed
// is unknown, unless the provider states the cost. embeds says that the answer holds embeddings,
// which have no output.
func Read(src []byte, embeds bool) Usage {
	var r reader
	r.read(src)
	u := Usage{Counted: r.counted && !r.senseless, Tier: r.tier, Context: r.context, Uncounted: r.uncounted}
	u.Stated, u.HasStated = r.stated.whole()
	if u.Counted {
		r.settle(embeds)
		u.Counts = r.counts
	}
	return u
}

func (r *reader) read(src []byte) {
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
		case "prompt_tokens_details", "input_tokens_details", "prompt_token_details": // the last is Mistral's
			r.readPrompt(w.Value())
		case "completion_tokens_details", "output_tokens_details":
			r.readCompletion(w.Value())
		case "reasoning_tokens": // Perplexity's
			r.count(&r.counts.Reasoning, w.Value())
		case "billed_units": // Cohere's, beside the tokens that it counted and does not bill
			r.bill(&r.counts.Prompt, rawjson.MemberOf(w.Value(), "input_tokens"))
			r.bill(&r.counts.Completion, rawjson.MemberOf(w.Value(), "output_tokens"))
		case "server_tool_use": // Anthropic's
			r.count(&r.counts.Searches, rawjson.MemberOf(w.Value(), "web_search_requests"))
		case "num_search_queries": // Perplexity's
			r.count(&r.counts.Searches, w.Value())
		case "search_context_size":
			r.context = rawjson.TextOf(w.Value())
		case "prompt_audio_seconds": // Mistral bills sound by its length
			var seconds int64
			r.count(&seconds, w.Value())
			r.uncounted = r.uncounted || seconds > 0
		case "cache_read_input_tokens", "cache_creation_input_tokens":
			r.anthropic = true
			r.readCache(&w)
		case "service_tier":
			if r.tier == nil {
				r.tier = rawjson.TextOf(w.Value())
			}
		case "speed": // Anthropic's, whose fast mode costs more
			if speed := rawjson.TextOf(w.Value()); string(speed) == `"fast"` {
				r.tier = speed
			}
		default:
			if !r.stated.read(&w) {
				r.readCache(&w)
			}
		}
	}
}

func (r *reader) readPrompt(details []byte) {
	for in := rawjson.WalkAt(details, 0); in.Next(); {
		switch string(in.Name) {
		case "audio_tokens":
			r.count(&r.counts.AudioIn, in.Value())
		case "image_tokens":
			r.count(&r.counts.ImageIn, in.Value())
		default:
			r.readCache(&in)
		}
	}
}

func (r *reader) readCompletion(details []byte) {
	for in := rawjson.WalkAt(details, 0); in.Next(); {
		switch string(in.Name) {
		case "reasoning_tokens":
			r.count(&r.counts.Reasoning, in.Value())
		case "audio_tokens":
			r.count(&r.counts.AudioOut, in.Value())
		case "image_tokens":
			r.count(&r.counts.ImageOut, in.Value())
		}
	}
}

// readCache reads a member about the provider's cache. DeepSeek, Moonshot and Anthropic put such
// members beside the counts; OpenAI, OpenRouter, LiteLLM and DashScope put them into the details of
// the counts.
func (r *reader) readCache(w *rawjson.Walk) {
	switch string(w.Name) {
	case "cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens", "num_cached_tokens":
		r.count(&r.counts.Cached, w.Value())
	case "cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens":
		r.count(&r.counts.CacheWrite, w.Value())
	case "cache_creation", "cache_creation_token_details":
		r.count(&r.minutes, rawjson.MemberOf(w.Value(), "ephemeral_5m_input_tokens"))
		r.count(&r.counts.CacheHour, rawjson.MemberOf(w.Value(), "ephemeral_1h_input_tokens"))
	}
}

// bill is count for a count that is billed. It notes that the usage object has one.
func (r *reader) bill(n *int64, value []byte) {
	if !rawjson.IsNull(value) {
		r.counted = true
		r.count(n, value)
	}
}

// count takes a count. Of several counts for one place the largest counts, so that neither zero nor
// null replaces a number.
func (r *reader) count(n *int64, value []byte) {
	if rawjson.IsNull(value) {
		return
	}
	count, ok := Tokens(value)
	*n, r.senseless = max(*n, count), r.senseless || !ok
}

// settle assigns the tokens that are only in the total. xAI and Gemini's OpenAI endpoint count
// reasoning beside the completion. Voyage states only the total, and embeddings have no output.
func (r *reader) settle(embeds bool) {
	r.counts.CacheWrite = max(r.counts.CacheWrite, r.minutes+r.counts.CacheHour)
	if !embeds && r.cacheApart() {
		r.counts.Prompt += r.counts.Cached + r.counts.CacheWrite
	}
	if r.counts.Reasoning > r.counts.Completion {
		r.counts.Completion += r.counts.Reasoning // it cannot be a part of a smaller number
	}
	if rest := r.counts.Total - r.counts.Prompt - r.counts.Completion; rest > 0 {
		if embeds {
			r.counts.Prompt += rest
		} else {
			r.counts.Completion += rest
		}
	}
	r.counts.Total = r.counts.Prompt + r.counts.Completion
}

// cacheApart reports whether the tokens read from the cache and written to it are beside the
// prompt's count, not a part of it. The total decides this if it can, else the spelling.
func (r *reader) cacheApart() bool {
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

// Tokens returns a value that is a count of tokens. ok is false if it is not one.
func Tokens(value []byte) (n int64, ok bool) {
	if n, ok = rawjson.WholeNumber(value); ok {
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
