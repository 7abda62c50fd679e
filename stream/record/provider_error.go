package record

import (
	"bytes"
	"strings"

	"llmpipe/stream/record/rawjson"
)

// maxPlain is how many characters are kept of an error body that is not JSON.
const maxPlain = 200

// ParseError reads the body of a provider's error. It knows the forms of OpenAI, Anthropic, Gemini,
// Mistral, OpenRouter, MiniMax, Baidu, Cloudflare, AWS, Apigee and of servers written with FastAPI;
// for anything else it takes the text. There is always a message; the caller sets the Status.
func ParseError(body []byte) *Error {
	body = rawjson.TrimSpace(bytes.TrimPrefix(body, []byte(rawjson.BOM)))
	e := new(Error)
	if rawjson.Valid(body) {
		e, _ = errorOf(body)
	}
	if strings.TrimSpace(e.Message) == "" {
		e.Message = plain(body)
	}
	if e.Message == "" {
		e.Message = "the error response is empty"
	}
	return e
}

// FindError returns the error in a body of valid JSON, in any of the forms that [ParseError] knows;
// nil if there is none.
func FindError(body []byte) *Error {
	body = rawjson.TrimSpace(bytes.TrimPrefix(body, []byte(rawjson.BOM)))
	if e, said := errorOf(body); said && strings.TrimSpace(e.Message) != "" {
		return e
	}
	return nil
}

// maxWrapped bounds how many levels deep an error is looked for.
const maxWrapped = 4

// errorOf reads an error from valid JSON: the value of an `error` member, or a value that holds
// one. said is false if src holds no known form of an error; the message is then only the beginning
// of the JSON.
func errorOf(src []byte) (e *Error, said bool) {
	for range maxWrapped {
		switch src[0] {
		case '[': // Gemini's is an array of one
			first := rawjson.First(src)
			if first == nil {
				return &Error{Message: plain(src)}, false
			}
			src = first
		case '{':
			members := rawjson.AppendMembers(nil, src, 0)
			inner := wrapped(members, src)
			if inner == nil {
				return errorFrom(members, src)
			}
			src = inner
		default:
			return &Error{Message: textFrom(src)}, true
		}
	}
	return &Error{Message: plain(src)}, false
}

// wrapped returns the value inside src that holds the error; nil if src is the error itself.
func wrapped(members []rawjson.Member, src []byte) []byte {
	for _, name := range [...]string{"error", "errors", "base_resp", "fault"} {
		inner := rawjson.ValueOf(members, src, name)
		if len(inner) > 0 && (inner[0] == '{' || rawjson.First(inner) != nil) && !rawjson.SaysNothing(inner) {
			return inner
		}
	}
	if inner := errorOfChoice(members, src); len(inner) > 0 && inner[0] == '{' {
		return inner
	}
	return nil
}

// errorOfChoice returns the error of an answer's first choice; nil if there is none. OpenRouter
// puts it there when generation fails midway.
func errorOfChoice(members []rawjson.Member, answer []byte) []byte {
	choice := rawjson.First(rawjson.ValueOf(members, answer, "choices"))
	return rawjson.MemberOf(choice, "error")
}

// The names of an error's members. Besides OpenAI's they are Gemini's (status), TGI's (error_type),
// AWS's (__type, Message), MiniMax's (status_code, status_msg), Baidu's (error_code, error_msg),
// FastAPI's (detail) and Apigee's (faultstring). If there are several, the first that is not empty
// counts.
var (
	typeNames    = [...]string{"type", "status", "error_type", "__type"}
	codeNames    = [...]string{"code", "status_code", "error_code"}
	messageNames = [...]string{"error", "message", "faultstring", "detail", "msg", "status_msg", "error_msg", "Message"}
)

// errorFrom reads an error from the object that has its members. said is false if none of them
// holds a message.
func errorFrom(members []rawjson.Member, src []byte) (e *Error, said bool) {
	e = new(Error)
	for _, name := range typeNames {
		if value := rawjson.ValueOf(members, src, name); e.Type == "" && (name == "type" || rawjson.IsString(value)) {
			e.Type = textFrom(value)
		}
	}
	for _, name := range codeNames {
		if value := rawjson.ValueOf(members, src, name); e.Code == "" && !rawjson.SaysNothing(value) {
			e.Code = textFrom(value)
		}
	}
	for _, in := range [...]struct{ member, code string }{{"detail", "errorcode"}, {"details", "error_code"}} { // Apigee's, Anthropic's
		if e.Code == "" {
			e.Code = textFrom(rawjson.MemberOf(rawjson.ValueOf(members, src, in.member), in.code))
		}
	}
	for _, name := range messageNames {
		if value := rawjson.ValueOf(members, src, name); !rawjson.SaysNothing(value) {
			e.Message, said = textFrom(value), true
			break
		}
	}
	if e.Message == "" {
		e.Message = plain(src)
	}
	// OpenRouter's own message is only "Provider returned error".
	if meta := rawjson.ValueOf(members, src, "metadata"); len(meta) > 0 {
		if raw := rawjson.MemberOf(meta, "raw"); rawjson.IsString(raw) {
			e.Message += ": " + plain([]byte(textFrom(raw)))
		}
	}
	return e, said
}

// textFrom returns the text of a string, "" for null, and any other value as JSON. It returns at
// most as much as an [Error] keeps.
func textFrom(value []byte) string {
	switch {
	case rawjson.IsNull(value):
		return ""
	case rawjson.IsString(value):
		return Cut(rawjson.Unquote(nil, beginning(value)))
	}
	return Cut(rawjson.Compact(nil, value[:min(len(value), longest)]))
}

// longest is how many bytes of a JSON value are read for a text of maxText bytes: in a string each
// byte may be an escape of six bytes.
const longest = 6 * (maxText + 1)

// beginning returns a string. One that is longer than longest is cut, never inside an escape.
func beginning(token []byte) []byte {
	if len(token) <= longest+2 {
		return token
	}
	end := 1
	for end < longest {
		switch {
		case token[end] != '\\':
			end++
		case token[end+1] == 'u':
			end += len(`\u0000`)
		default:
			end += len(`\n`)
		}
	}
	return append(token[:end:end], '"')
}

// plain returns the beginning of a text, its white space squeezed.
func plain(text []byte) string {
	var b strings.Builder
	n := 0
	for _, word := range strings.Fields(string(text[:min(len(text), 1<<16)])) {
		if n > 0 {
			word = " " + word
		}
		for _, r := range word { // invalid UTF-8 becomes U+FFFD
			if n == maxPlain {
				return b.String()
			}
			b.WriteRune(r)
			n++
		}
	}
	return b.String()
}
