// Package fit checks whether answers fit their schema.
package fit

import (
	"llmpipe/stream/record"
	"llmpipe/stream/record/rawjson"
	"llmpipe/stream/record/schema"
)

// Fit says whether an answer fits its schema.
type Fit struct {
	Parsed []byte             // the answer's JSON value, in memory of its own; nil if it does not fit
	Wrong  *schema.Violations // why it does not fit; nil if it does
	Code   string             // why asking again would not help: truncated or refusal; else ""
}

// Of checks an answer against a schema.
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

// Value returns the JSON value of an answer that fits its schema.
func Value(a *record.Answer) []byte {
	if !rawjson.IsString(a.Content) {
		return nil
	}
	return schema.Value(rawjson.Unquote(nil, a.Content))
}

// Err returns the error of a record whose answers do not fit.
func (f *Fit) Err() *record.Error {
	e := &record.Error{Type: "schema", Code: f.Code}
	switch f.Code {
	case "truncated":
		e.Message = "the answer was cut off before its value ended, so raise max_tokens: " + f.Wrong.String()
	case "refusal":
		e.Message = "the model refused to answer: " + f.Wrong.String()
	default:
		e.Message = "the answer does not fit the schema: " + f.Wrong.String()
	}
	return e
}
