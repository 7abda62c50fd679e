package record

import "strings"

// maxPlain is how many characters are kept of an error body that is no JSON.
const maxPlain = 200

// ParseError reads the body of a provider's error. It knows the forms of OpenAI, Anthropic, Gemini, Mistral, OpenRouter and
// of servers written with FastAPI; of anything else it takes the text. There is always a message; the Status is the caller's
// to set.
func ParseError(body []byte) *Error {
	body = trimSpace(body)
	e := new(Error)
	if isValid(body) {
		e = errorOf(body)
	}
	if strings.TrimSpace(e.Message) == "" {
		e.Message = plain(body)
	}
	if e.Message == "" {
		e.Message = "the error response is empty"
	}
	return e
}

// maxWrapped bounds how deep an error is looked for.
const maxWrapped = 4

// errorOf reads an error from valid JSON: the value of an `error` member, or what holds one.
func errorOf(src []byte) *Error {
	for range maxWrapped {
		switch src[0] {
		case '[': // Gemini's is an array of one
			first := firstOf(src)
			if first == nil {
				return &Error{Message: plain(src)}
			}
			src = first
		case '{':
			members := appendMembers(nil, src, 0)
			inner := valueOf(members, src, "error")
			if isNull(inner) {
				inner = errorOfChoice(members, src)
			}
			if isNull(inner) || isString(inner) {
				return errorFrom(members, src)
			}
			src = inner
		default:
			return &Error{Message: textFrom(src)}
		}
	}
	return &Error{Message: plain(src)}
}

// errorOfChoice returns the error of an answer's first choice, nil where there is none: OpenRouter's, for a failure on the way.
func errorOfChoice(members []member, answer []byte) []byte {
	choice := firstOf(valueOf(members, answer, "choices"))
	return memberOf(choice, "error")
}

// errorFrom reads an error from the object that says what it is.
func errorFrom(members []member, src []byte) *Error {
	e := &Error{
		Type: textFrom(valueOf(members, src, "type")),
		Code: textFrom(valueOf(members, src, "code")),
	}
	if e.Type == "" {
		e.Type = textFrom(valueOf(members, src, "status")) // Gemini's RESOURCE_EXHAUSTED and such
	}
	for _, name := range [...]string{"error", "message", "detail", "msg"} {
		if value := valueOf(members, src, name); !isNull(value) {
			e.Message = textFrom(value)
			break
		}
	}
	if e.Message == "" {
		e.Message = plain(src)
	}
	// OpenRouter's own message is but "Provider returned error".
	if meta := valueOf(members, src, "metadata"); len(meta) > 0 {
		if raw := memberOf(meta, "raw"); isString(raw) {
			e.Message += ": " + plain(unquote(nil, raw))
		}
	}
	return e
}

// textFrom returns what a string says, and any other value but null as JSON.
func textFrom(value []byte) string {
	switch {
	case isNull(value):
		return ""
	case isString(value):
		return string(unquote(nil, value))
	case isNumber(value):
		return string(value)
	}
	return string(Compact(nil, value))
}

// plain returns the beginning of a text, its white space squeezed.
func plain(text []byte) string {
	var b strings.Builder
	n := 0
	for _, word := range strings.Fields(string(text[:min(len(text), 1<<16)])) {
		if n > 0 {
			word = " " + word
		}
		for _, r := range word { // what is no UTF-8 becomes U+FFFD
			if n == maxPlain {
				return b.String()
			}
			b.WriteRune(r)
			n++
		}
	}
	return b.String()
}
