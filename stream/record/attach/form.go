package attach

import "llmpipe/stream/record/rawjson"

// Form is how an endpoint's requests hold parts.
type Form uint8

// The forms, named as the endpoints.
const (
	Chat Form = iota
	Responses
	Messages
)

// String returns the endpoint's name.
func (f Form) String() string { return [...]string{"chat", "responses", "messages"}[f] }

// text returns the type of a text part.
func (f Form) text() string {
	if f == Responses {
		return "input_text"
	}
	return "text"
}

// Begin appends the beginning of a list of parts. The first part is the prompt, a JSON string.
// [Form.End] appends the end of the list.
func (f Form) Begin(dst, prompt []byte) []byte {
	if f == Responses { // a string can be the whole input, but parts belong to a message
		dst = append(dst, `[{"role":"user","content":`...)
	}
	dst = append(dst, '[')
	dst = append(dst, `{"type":`...)
	dst = rawjson.AppendQuoted(dst, f.text())
	dst = append(dst, `,"text":`...)
	return append(append(dst, prompt...), '}')
}

// End ends the parts.
func (f Form) End(dst []byte) []byte {
	dst = append(dst, ']')
	if f == Responses {
		dst = append(dst, "}]"...)
	}
	return dst
}
