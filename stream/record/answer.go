package record

import (
	"errors"
	"fmt"
	"slices"
)

// Answer is what a provider's 2xx body says. Its slices are JSON, and parts of the body unless said otherwise.
type Answer struct {
	Content      []byte // the first choice's text, a JSON string; nil when absent or null. Several parts are joined in a new string
	Embedding    []byte // the first embedding, an array or a base64 string
	Choices      int    // choices, embeddings, or 1 for a response with any output
	More         []byte // the whole choices or data array when Choices > 1, else nil
	ToolCalls    []byte // an array; of a response's function_call items a new one; nil when absent, null or empty
	Refusal      []byte // a string; nil when absent, null or empty
	FinishReason []byte // a string; of a response why it is incomplete, else its status
	Model        []byte // a string: the model that answered
	Usage        Usage
	HasUsage     bool   // the body holds usage
	Error        []byte // the error member of a 2xx body, or of its first choice; nil when absent or null
}

// ParseAnswer reads the body of a 2xx response from the endpoint. The error is that the body is not a JSON object. It looks
// at every byte once to check it, and again only at the members that it wants.
func ParseAnswer(e Endpoint, body []byte) (Answer, error) {
	var a Answer
	src := trimSpace(body)
	var buf [24]member
	members, valid := checkMembers(buf[:0], src)
	if !valid {
		return a, fmt.Errorf("reading the answer: not JSON: %s", plain(src))
	}
	if src[0] != '{' {
		return a, fmt.Errorf("reading the answer: it is %s, not an object", kindOf(src))
	}
	a.read(e, src, members)
	return a, nil
}

// RecallAnswer is [ParseAnswer] of a body that it has taken before, or what [Compact] made of one: it is not checked again.
func RecallAnswer(e Endpoint, body []byte) (Answer, error) {
	var a Answer
	if len(body) == 0 || body[0] != '{' {
		return a, errors.New("reading the answer: it is not an object")
	}
	var buf [24]member
	a.read(e, body, appendMembers(buf[:0], body, 0))
	return a, nil
}

// read reads the members of src.
func (a *Answer) read(e Endpoint, src []byte, members []member) {
	for i := range members {
		value := members[i].value.of(src)
		if isNull(value) {
			continue
		}
		switch string(members[i].name(src)) {
		case "model":
			a.Model = stringOf(value)
		case "usage":
			a.Usage, a.HasUsage = parseUsage(value)
		case "error":
			a.Error = value
		case "choices":
			if e == Chat || e == Completions {
				a.readChoices(e, value)
			}
		case "data":
			if e == Embeddings {
				a.readEmbeddings(value)
			}
		case "output":
			if e == Responses {
				a.readOutput(value)
			}
		case "status":
			if e == Responses && a.FinishReason == nil {
				a.FinishReason = stringOf(value)
			}
		case "incomplete_details":
			if e == Responses {
				a.readIncomplete(value)
			}
		}
	}
}

// stringOf returns a value that is a string and not empty, else nil.
func stringOf(value []byte) []byte {
	if isString(value) && len(value) > len(`""`) {
		return value
	}
	return nil
}

// arrayOf returns a value that is an array and not empty, else nil.
func arrayOf(value []byte) []byte {
	if len(value) > 0 && value[0] == '[' && value[skipSpace(value, 1)] != ']' {
		return value
	}
	return nil
}

// readChoices reads the first choice, and counts them all.
func (a *Answer) readChoices(e Endpoint, choices []byte) {
	if choices[0] != '[' {
		return
	}
	for i := skipSpace(choices, 1); i < len(choices) && choices[i] != ']'; a.Choices++ {
		end := 0
		if a.Choices == 0 && choices[i] == '{' {
			end = a.readChoice(e, choices, i)
		} else {
			end = skipValue(choices, i)
		}
		i = nextElement(choices, end)
	}
	if a.Choices > 1 {
		a.More = choices
	}
}

// readChoice reads the choice that begins at i, and returns the position after it.
func (a *Answer) readChoice(e Endpoint, choices []byte, i int) (end int) {
	var buf [12]member
	members, end := membersAt(buf[:0], choices, i)
	a.FinishReason = stringOf(valueOf(members, choices, "finish_reason"))
	if failed := valueOf(members, choices, "error"); !isNull(failed) && a.Error == nil { // OpenRouter's, for a failure on the way
		a.Error = failed
	}
	if e == Completions {
		a.Content = textParts(valueOf(members, choices, "text"))
		return end
	}
	message := valueOf(members, choices, "message")
	members = appendMembers(buf[:0], message, 0)
	a.Content = textParts(valueOf(members, message, "content"))
	a.Refusal = stringOf(valueOf(members, message, "refusal"))
	a.ToolCalls = arrayOf(valueOf(members, message, "tool_calls"))
	return end
}

func (a *Answer) readEmbeddings(data []byte) {
	elements(data, func(item []byte) bool {
		a.Choices++
		if a.Choices == 1 {
			a.Embedding = embeddingOf(item)
		}
		return true
	})
	if a.Choices > 1 {
		a.More = data
	}
}

// embeddingOf returns the vector of one item of an embeddings answer.
func embeddingOf(item []byte) []byte {
	var buf [8]member
	value := valueOf(appendMembers(buf[:0], item, 0), item, "embedding")
	if isNull(value) {
		return nil
	}
	return value
}

// readOutput reads the output items of a response: the texts and refusals of its messages, and its calls of functions.
func (a *Answer) readOutput(output []byte) {
	elements(output, func(item []byte) bool {
		a.Choices = 1
		var buf [12]member
		members := appendMembers(buf[:0], item, 0)
		switch string(valueOf(members, item, "type")) {
		case `"function_call"`:
			a.ToolCalls = appendElement(a.ToolCalls, item)
		case `"message"`:
			content := valueOf(members, item, "content")
			a.Content = joinStrings(a.Content, textParts(content))
			elements(content, func(part []byte) bool {
				var buf [8]member
				refusal := stringOf(valueOf(appendMembers(buf[:0], part, 0), part, "refusal"))
				a.Refusal = joinStrings(a.Refusal, refusal)
				return true
			})
		}
		return true
	})
}

func (a *Answer) readIncomplete(details []byte) {
	var buf [4]member
	if reason := stringOf(valueOf(appendMembers(buf[:0], details, 0), details, "reason")); reason != nil {
		a.FinishReason = reason
	}
}

// textParts returns a content that is a string, or the text of its parts where it is an array of them; nil for anything else.
func textParts(content []byte) []byte {
	if isString(content) {
		return content
	}
	var text []byte
	elements(content, func(part []byte) bool {
		var buf [8]member
		if t := valueOf(appendMembers(buf[:0], part, 0), part, "text"); isString(t) {
			text = joinStrings(text, t)
		}
		return true
	})
	return text
}

// joinStrings joins two JSON strings, in new memory if there are two.
func joinStrings(a, b []byte) []byte {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	return slices.Concat(a[:len(a)-1], b[1:])
}

// appendElement returns an array with one element more, in new memory.
func appendElement(array, element []byte) []byte {
	if array == nil {
		return slices.Concat([]byte("["), element, []byte("]"))
	}
	return slices.Concat(array[:len(array)-1], []byte(","), element, []byte("]"))
}

// Flag says what is wrong with an answer that is no error: "length" when it was cut, "content_filter" when it was withheld,
// "empty" when there is nothing in it. It is "" when nothing is.
func (a *Answer) Flag() string {
	switch string(a.FinishReason) {
	case `"length"`, `"max_tokens"`, `"MAX_TOKENS"`, `"model_length"`, `"max_output_tokens"`, `"incomplete"`:
		return "length"
	case `"content_filter"`:
		return "content_filter"
	}
	if blank(a.Content) && a.ToolCalls == nil && a.Refusal == nil && a.Embedding == nil {
		return "empty"
	}
	return ""
}

// blank says whether a JSON string holds nothing to see.
func blank(text []byte) bool {
	if text == nil {
		return true
	}
	for i := 1; i < len(text)-1; i++ {
		switch c := text[i]; {
		case c == ' ':
		case c == '\\' && (text[i+1] == 'n' || text[i+1] == 't' || text[i+1] == 'r'):
			i++
		default:
			return false
		}
	}
	return true
}
