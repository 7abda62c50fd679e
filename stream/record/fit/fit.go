// Package fit holds answers to the schema that they are to have.
package fit

import (
	"llmpipe/stream/record"
	"llmpipe/stream/record/rawjson"
	"llmpipe/stream/record/schema"
)

// Fit is how an answer fits the schema that it is to have.
type Fit struct {
	Parsed []byte             // the value that it is, in memory of its own; nil where it does not fit
	Wrong  *schema.Violations // why it does not fit; nil where it does
	Code   string             // what else is the matter: truncated or refusal, to which nothing can be said; "" for neither
}

// Of checks an answer.
func Of(a *record.Answer, s *schema.Schema) Fit {
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
func Value(a *record.Answer) []byte {
	if !rawjson.IsString(a.Content) {
		return nil
	}
	return schema.Value(rawjson.Unquote(nil, a.Content))
}

// Err is the error of a record whose answers do not fit.
func (f *Fit) Err() *record.Error {
	e := &record.Error{Type: "schema", Code: f.Code}
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
