package record

import (
	"strconv"

	"llmpipe/stream/record/rawjson"
)

// Usage counts tokens, as the provider bills them.
type Usage struct {
	Prompt     int64 // all of the prompt, Cached included
	Completion int64 // all of the output, Reasoning included
	Total      int64
	Cached     int64 // of the prompt, read from the provider's cache
	Reasoning  int64 // of the completion, not seen
}

// parseUsage reads a usage object, by the names of either of OpenAI's APIs. It is there when it
// holds any of the counts.
func parseUsage(src []byte) (u Usage, ok bool) {
	total := false
	for w := rawjson.WalkAt(src, 0); w.Next(); {
		switch string(w.Name) {
		case "prompt_tokens", "input_tokens":
			u.Prompt, ok = tokens(w.Value()), true
		case "completion_tokens", "output_tokens":
			u.Completion, ok = tokens(w.Value()), true
		case "total_tokens":
			value := w.Value()
			u.Total, ok, total = tokens(value), true, rawjson.IsNumber(value)
		case "prompt_tokens_details", "input_tokens_details":
			u.Cached = tokens(rawjson.MemberOf(w.Value(), "cached_tokens"))
		case "completion_tokens_details", "output_tokens_details":
			u.Reasoning = tokens(rawjson.MemberOf(w.Value(), "reasoning_tokens"))
		}
	}
	if !total {
		u.Total = u.Prompt + u.Completion
	}
	return u, ok
}

// maxTokenCount bounds a count, so that sums and prices of counts do not overflow.
const maxTokenCount = 1 << 40

// tokens returns a count of tokens; 0 for what is none.
func tokens(value []byte) int64 {
	if n, ok := wholeNumber(value); ok {
		return min(n, maxTokenCount)
	}
	if !rawjson.IsNumber(value) {
		return 0
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || f < 0 {
		return 0
	}
	return int64(min(f, maxTokenCount))
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
