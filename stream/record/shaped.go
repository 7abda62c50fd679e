package record

import (
	"llmpipe/stream/record/rawjson"
	"llmpipe/stream/record/schema"
	"llmpipe/stream/record/turns"
)

// Fit is how an answer fits the schema that it is to have.
type Fit struct {
	Parsed []byte             // the value that it is, in memory of its own; nil where it does not fit
	Wrong  *schema.Violations // why it does not fit; nil where it does
	Code   string             // what else is the matter: truncated or refusal, to which nothing can be said; "" for neither
}

// Fit checks an answer.
func (a *Answer) Fit(s *schema.Schema) Fit {
	var text []byte
	if rawjson.IsString(a.Content) {
		text = rawjson.Unquote(nil, a.Content)
	}
	f := Fit{}
	f.Parsed, f.Wrong = s.Check(text)
	switch flag := a.Flag(); {
	case f.Wrong == nil:
	case flag == "length":
		f.Code = "truncated"
	case a.Refusal != nil, flag == "content_filter":
		f.Code = "refusal"
	}
	return f
}

// Value is the value that an answer is which fits its schema.
func (a *Answer) Value() []byte {
	if !rawjson.IsString(a.Content) {
		return nil
	}
	return schema.Value(rawjson.Unquote(nil, a.Content))
}

// Err is the error of a record whose answers do not fit.
func (f *Fit) Err() *Error {
	e := &Error{Type: "schema", Code: f.Code}
	switch f.Code {
	case "truncated":
		e.Message = "the answer was cut before its value ended; a larger max_tokens lets it end: " + f.Wrong.String()
	case "refusal":
		e.Message = "the model refused to answer: " + f.Wrong.String()
	default:
		e.Message = "the answer does not fit the schema: " + f.Wrong.String()
	}
	return e
}

// Continue takes the record's request further: what the model said, a JSON string, and what is to
// be said to that. One that says nothing, or that has no conversation in it, is left to be asked as
// it was. An attempt that may still be sending the body is not disturbed.
func (r *Record) Continue(said []byte, then string) {
	if rawjson.IsBlank(said) {
		return // providers take no turn without words
	}
	member := "messages"
	if r.Endpoint == Responses {
		member = "input"
	}
	body, ok := turns.Append(nil, r.Body, member, said, rawjson.AppendQuoted(nil, then))
	if !ok {
		return
	}
	r.TextBytes += len(body) - len(r.Body)
	r.Body = body
	if r.modelEnd > 0 {
		r.modelStart, r.modelEnd = memberAt(body, "model")
	}
}

// memberAt is where an object's last member of a name has its value; both are 0 where there is none.
func memberAt(object []byte, name string) (start, end int) {
	for w := rawjson.WalkAt(object, 0); w.Next(); {
		if string(w.Name) == name {
			start, end = w.Start, w.Start+len(w.Value())
		}
	}
	return start, end
}
