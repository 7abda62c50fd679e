package record

import (
	"strings"

	"llmpipe/stream/record/rawjson"
)

// ending is what a finish reason says of the answer before it.
type ending uint8

const (
	unknown  ending = iota // not a known reason: the answer is flagged
	whole                  // the answer is complete
	cut                    // cut off by a limit, mostly on the answer's length
	filtered               // withheld by a content filter
	paused                 // the answer goes on once it is sent back
	broken                 // cut off by a fault on the way: half an answer, which is asked for again
)

// endings holds the finish reasons, in lower case, from the providers' references. An answer with
// any other reason is flagged, so that half an answer never silently passes for a whole one.
var endings = map[string]ending{
	// OpenAI, and those that follow it. A response's reason is its status, or why it is incomplete.
	"stop": whole, "tool_calls": whole, "function_call": whole, "completed": whole,
	"length": cut, "max_output_tokens": cut, "incomplete": cut,
	"content_filter": filtered,
	"failed":         broken, "cancelled": broken,

	// OpenRouter, vLLM, SGLang: a fault on the way. TGI and Together: the kind of stop.
	"error": broken, "abort": broken, "aborted": broken, "timeout": broken,
	"eos_token": whole, "eos": whole, "stop_sequence": whole,

	// Anthropic, Bedrock.
	"end_turn": whole, "tool_use": whole,
	"pause_turn": paused, "compaction": paused,
	"max_tokens": cut, "model_context_window_exceeded": cut,
	"refusal": filtered, "guardrail_intervened": filtered, "content_filtered": filtered,

	// Gemini.
	"safety": filtered, "recitation": filtered, "blocklist": filtered, "prohibited_content": filtered, "spii": filtered,
	"language": filtered, "image_safety": filtered, "image_prohibited_content": filtered, "image_recitation": filtered,

	// Mistral, Cohere, watsonx.
	"model_length": cut, "token_limit": cut, "time_limit": cut, "error_limit": cut,
	"complete": whole, "tool_call": whole,
	"error_toxic": filtered,
	"user_cancel": broken,

	// DeepSeek, Zhipu, Baidu.
	"insufficient_system_resource": broken, "network_error": broken,
	"sensitive": filtered,
	"normal":    whole,
}

// endingOf looks up a finish reason, a JSON string in upper or lower case. Some reasons have
// details after a colon, a dot, a parenthesis or a slash.
func endingOf(reason []byte) ending {
	switch string(reason) { // nearly all, without a copy
	case `"stop"`, `"completed"`, `"tool_calls"`:
		return whole
	case "":
		return unknown
	}
	said := strings.ToLower(strings.TrimSpace(string(rawjson.Unquote(nil, reason))))
	said = strings.NewReplacer("-", "_", " ", "_").Replace(said)
	if known, ok := endings[said]; ok {
		return known
	}
	if end := strings.IndexAny(said, ":.(/"); end > 0 {
		return endings[strings.TrimRight(said[:end], "_")]
	}
	return unknown
}

// ending returns the worst ending among the answer's choices.
func (a *Answer) ending() ending {
	end := endingOf(a.FinishReason)
	if a.More == nil || a.Embedding != nil {
		return end
	}
	rawjson.Elements(a.More, func(choice []byte) bool {
		if reason := rawjson.TextOf(rawjson.MemberOf(choice, "finish_reason")); endingOf(reason) > whole {
			end = max(end, endingOf(reason))
		}
		return true
	})
	return end
}

// noVector reports whether one of several embeddings is empty.
func (a *Answer) noVector() (none bool) {
	rawjson.Elements(a.More, func(item []byte) bool {
		none = vectorOf(rawjson.MemberOf(item, "embedding")) == nil
		return !none
	})
	return none
}

// Broken reports whether the answer says that a fault cut it off, so that it is incomplete.
func (a *Answer) Broken() bool { return a.ending() == broken }

// Pending reports whether the body is a job instead of an answer: OpenAI's response to
// `background`.
func (a *Answer) Pending() bool {
	return string(a.FinishReason) == `"queued"` || string(a.FinishReason) == `"in_progress"`
}

// Stopped reports whether the answer says why it is short or empty: it reached a limit, a filter
// withheld it, or it is to be sent back to go on.
func (a *Answer) Stopped() bool {
	e := endingOf(a.FinishReason)
	return e == cut || e == filtered || e == paused
}

// Flag says what is wrong with an answer that is not an error: "length" when it was cut,
// "content_filter" when it was withheld, "paused" when it goes on once it is sent back, "empty"
// when it holds nothing, "finish_reason" when its finish reason is unknown, null or empty. It is ""
// when nothing is wrong; some servers leave the finish reason out.
func (a *Answer) Flag() string {
	end := a.ending()
	switch {
	case end == cut:
		return "length"
	case end == filtered:
		return "content_filter"
	case end == paused:
		return "paused"
	case a.Embedding != nil && a.noVector():
		return "empty"
	case a.Embedding != nil:
		return ""
	case rawjson.IsBlank(a.Content) && a.ToolCalls == nil && a.Refusal == nil:
		return "empty"
	case end == unknown && a.FinishReason != nil, a.Unended:
		return "finish_reason"
	}
	return ""
}
