package record

import (
	"errors"
	"fmt"
	"slices"

	"llmpipe/stream/record/rawjson"
	"llmpipe/stream/record/usage"
)

// Answer is what a provider's 2xx body says. Its slices are JSON, and parts of the body unless said
// otherwise.
type Answer struct {
	Content      []byte // the first choice's text, a JSON string; nil when absent or null. Several parts are joined in new memory
	Embedding    []byte // the first embedding, an array or a base64 string
	Choices      int    // number of choices or embeddings; 1 for a message, and for a response with any output
	More         []byte // the whole choices or data array when Choices > 1, else nil
	ToolCalls    []byte // an array, in new memory for responses and messages; nil when absent, null or empty
	Refusal      []byte // a string; nil when absent, null or empty
	FinishReason []byte // a string; for a response why it is incomplete, or its status; for a message its stop_reason
	Model        []byte // a string: the model that answered
	Tier         []byte // a string: the service_tier that is billed, from the answer or, as with Anthropic, from its usage
	Context      []byte // a string: the search_context_size of web searches, from the usage
	Usage        usage.Counts
	HasUsage     bool       // the body holds a usage whose counts can be read
	Stated       usage.Cost // what the provider says that the answer costs
	HasStated    bool       // the provider states a cost
	Uncounted    bool       // something is billed that Usage does not count: a tool, or seconds of sound
	Unended      bool       // the first choice has a finish_reason that is null or empty, as in an answer under way
	Error        []byte     // the error of a 2xx body or of its first choice, or MiniMax's base_resp; nil when it says nothing
}

// ErrNotJSON is the error of an answer whose body is not JSON.
var ErrNotJSON = errors.New("reading the answer: not JSON")

// ParseAnswer reads the body of a 2xx response from the endpoint. It returns an error if the body
// is not a JSON object. It looks at every byte once to check it, and once more to find the members
// that it needs.
func ParseAnswer(e Endpoint, body []byte) (Answer, error) {
	src, err := checkAnswer(body)
	if err != nil {
		return Answer{}, err
	}
	return readAnswer(e, src), nil
}

// TakeAnswer is [ParseAnswer] for a body that it may modify. It removes the white space between
// tokens in place. Ledgers and results hold that dense body, and the answer's slices are parts of
// it. A body that is not an answer stays unchanged.
func TakeAnswer(e Endpoint, body []byte) (a Answer, dense []byte, err error) {
	src, err := checkAnswer(body)
	if err != nil {
		return Answer{}, body, err
	}
	dense = rawjson.Compact(body[:0], src)
	return readAnswer(e, dense), dense, nil
}

// checkAnswer returns the JSON object that a body is, without the white space around it.
func checkAnswer(body []byte) (object []byte, err error) {
	src := rawjson.TrimSpace(body)
	if !rawjson.Valid(src) {
		return nil, fmt.Errorf("%w: %s", ErrNotJSON, plain(src))
	}
	if src[0] != '{' {
		return nil, fmt.Errorf("reading the answer: it is %s, not an object", rawjson.KindOf(src))
	}
	return src, nil
}

// RecallAnswer is [ParseAnswer] for a body that ParseAnswer has accepted before, or for the dense
// body from [TakeAnswer]. The JSON is not checked again.
func RecallAnswer(e Endpoint, body []byte) (Answer, error) {
	if len(body) == 0 || body[0] != '{' {
		return Answer{}, errors.New("reading the answer: it is not an object")
	}
	return readAnswer(e, body), nil
}

// readAnswer reads an object. A null member counts as absent.
func readAnswer(e Endpoint, src []byte) Answer {
	var a Answer
	var failed []byte // the error of the first choice
	for w := rawjson.WalkAt(src, 0); w.Next(); {
		if rawjson.IsNull(src[w.Start:]) {
			continue
		}
		switch string(w.Name) {
		case "model":
			a.Model = rawjson.TextOf(w.Value())
		case "usage":
			a.readUsage(e, w.Value())
		case "service_tier":
			if tier := rawjson.TextOf(w.Value()); tier != nil {
				a.Tier = tier
			}
		case "error":
			if value := w.Value(); !rawjson.SaysNothing(value) {
				a.Error = value
			}
		case "base_resp":
			if value := w.Value(); a.Error == nil && !rawjson.SaysNothing(rawjson.MemberOf(value, "status_code")) {
				a.Error = value
			}
		case "choices":
			if e == Chat || e == Completions {
				failed, w.At = a.readChoices(e, src, w.Start)
			}
		case "data":
			if e == Embeddings {
				w.At = a.readEmbeddings(src, w.Start)
			}
		case "output":
			if e == Responses {
				a.readOutput(w.Value())
			}
		case "content", "stop_reason", "stop_details":
			if e == Messages {
				a.readOfMessage(string(w.Name), w.Value())
			}
		case "status":
			if e == Responses && a.FinishReason == nil {
				a.FinishReason = rawjson.TextOf(w.Value())
			}
		case "incomplete_details":
			if e == Responses {
				a.readIncomplete(w.Value())
			}
		}
	}
	if a.Error == nil {
		a.Error = failed
	}
	return a
}

// vectorOf returns an embedding; nil if it is empty.
func vectorOf(value []byte) []byte {
	if len(value) > 0 && value[0] == '"' {
		return rawjson.TextOf(value)
	}
	return arrayOf(value)
}

// arrayOf returns the value if it is an array that is not empty, else nil.
func arrayOf(value []byte) []byte {
	if rawjson.First(value) == nil {
		return nil
	}
	return value
}

// readUsage reads a usage object. Searches and uncounted tools that the output showed before stay.
func (a *Answer) readUsage(e Endpoint, src []byte) {
	u := usage.Read(src, e == Embeddings)
	if a.HasUsage && !u.Counted {
		return // an unreadable usage does not replace one that was read
	}
	u.Counts.Searches = max(u.Counts.Searches, a.Usage.Searches)
	a.Usage, a.HasUsage = u.Counts, u.Counted
	a.Context, a.Uncounted = u.Context, a.Uncounted || u.Uncounted
	a.Stated, a.HasStated = u.Stated, u.HasStated
	if a.Tier == nil {
		a.Tier = u.Tier
	}
}

// readChoices reads the first choice and counts them all. It returns the first choice's error, and
// the position after the array.
func (a *Answer) readChoices(e Endpoint, src []byte, i int) (failed []byte, end int) {
	a.Content, a.Refusal, a.ToolCalls, a.FinishReason, a.Unended = nil, nil, nil, nil, false
	end = a.readList(src, i, func(first int) (end int) {
		failed, end = a.readChoice(e, src, first)
		return end
	})
	return failed, end
}

// readList calls read for the first element of the array at i, if that is an object, and counts all
// elements. It returns the position after the array.
func (a *Answer) readList(src []byte, i int, read func(first int) (end int)) (end int) {
	a.Choices, a.More = 0, nil
	if src[i] != '[' {
		return rawjson.SkipValue(src, i)
	}
	start := i
	for i = rawjson.SkipSpace(src, i+1); i < len(src) && src[i] != ']'; a.Choices++ {
		if a.Choices == 0 && src[i] == '{' {
			i = read(i)
		} else {
			i = rawjson.SkipValue(src, i)
		}
		i = rawjson.NextElement(src, i)
	}
	end = min(i+1, len(src))
	if a.Choices > 1 {
		a.More = src[start:end]
	}
	return end
}

// readChoice reads the choice at i. It returns the choice's error, which OpenRouter puts there for
// a failure on the way, and the position after the choice.
func (a *Answer) readChoice(e Endpoint, src []byte, i int) (failed []byte, end int) {
	w := rawjson.WalkAt(src, i)
	for w.Next() {
		switch string(w.Name) {
		case "finish_reason":
			a.FinishReason = rawjson.TextOf(w.Value())
			a.Unended = a.FinishReason == nil
		case "error":
			if value := w.Value(); !rawjson.SaysNothing(value) {
				failed = value
			}
		case "usage": // Moonshot's is here
			if !a.HasUsage {
				a.readUsage(e, w.Value())
			}
		case "text":
			if e == Completions {
				a.Content = textParts(w.Value())
			}
		case "message":
			if e == Chat {
				w.At = a.readMessage(src, w.Start)
			}
		}
	}
	return failed, w.At
}

// readMessage reads the message at i, and returns the position after it.
func (a *Answer) readMessage(src []byte, i int) (end int) {
	a.Content, a.Refusal, a.ToolCalls = nil, nil, nil
	if src[i] != '{' {
		return rawjson.SkipValue(src, i)
	}
	w := rawjson.WalkAt(src, i)
	for w.Next() {
		switch string(w.Name) {
		case "content":
			a.Content = textParts(w.Value())
		case "refusal":
			a.Refusal = rawjson.TextOf(w.Value())
		case "tool_calls":
			a.ToolCalls = arrayOf(w.Value())
		}
	}
	return w.At
}

// readEmbeddings reads the first embedding and counts them all. It returns the position after the
// array.
func (a *Answer) readEmbeddings(src []byte, i int) (end int) {
	a.Embedding = nil
	return a.readList(src, i, func(first int) int {
		w := rawjson.WalkAt(src, first)
		for w.Next() {
			if string(w.Name) == "embedding" {
				a.Embedding = vectorOf(w.Value())
			}
		}
		return w.At
	})
}

// readOutput reads the output items of a response: the texts and refusals of its messages, its
// function calls, and the tools that are billed.
func (a *Answer) readOutput(output []byte) {
	rawjson.Elements(output, func(item []byte) bool {
		a.Choices = 1
		switch string(rawjson.MemberOf(item, "type")) {
		case `"function_call"`:
			a.ToolCalls = appendElement(a.ToolCalls, item)
		case `"web_search_call"`:
			a.Usage.Searches++
		case `"file_search_call"`, `"code_interpreter_call"`, `"image_generation_call"`:
			a.Uncounted = true
		case `"message"`:
			content := rawjson.MemberOf(item, "content")
			a.Content = joinStrings(a.Content, textParts(content))
			rawjson.Elements(content, func(part []byte) bool {
				a.Refusal = joinStrings(a.Refusal, rawjson.TextOf(rawjson.MemberOf(part, "refusal")))
				return true
			})
		}
		return true
	})
}

func (a *Answer) readIncomplete(details []byte) {
	if reason := rawjson.TextOf(rawjson.MemberOf(details, "reason")); reason != nil {
		a.FinishReason = reason
	}
}

// textParts returns a content that is a string, or the joined text of a content that is an array of
// parts; nil for anything else.
func textParts(content []byte) []byte {
	if rawjson.IsString(content) {
		return content
	}
	var text []byte
	rawjson.Elements(content, func(part []byte) bool {
		if t := rawjson.MemberOf(part, "text"); rawjson.IsString(t) {
			text = joinStrings(text, t)
		}
		return true
	})
	return text
}

// joinStrings joins two JSON strings. Either may be nil; the result is in new memory if neither is.
func joinStrings(a, b []byte) []byte {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	return slices.Concat(a[:len(a)-1], b[1:])
}

// appendElement returns the array with one more element, in new memory.
func appendElement(array, element []byte) []byte {
	if array == nil {
		return slices.Concat([]byte("["), element, []byte("]"))
	}
	return slices.Concat(array[:len(array)-1], []byte(","), element, []byte("]"))
}
