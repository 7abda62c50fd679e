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

// text is the type of a part that is text.
func (f Form) text() string {
	if f == Responses {
		return "input_text"
	}
	return "text"
}

// Begin appends what a prompt that is a string, as a JSON token, is as the first of several parts.
// [Form.End] ends what it began.
func (f Form) Begin(dst, prompt []byte) []byte {
	if f == Responses { // a prompt alone is the whole input, and parts are a message's
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
