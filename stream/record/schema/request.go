package schema

import "llmpipe/stream/record/rawjson"

// Form is how a request asks for the shape of its answer.
type Form uint8

const (
	// Chat is OpenAI's chat completions: response_format
	// (platform.openai.com/docs/api-reference/chat/create).
	Chat Form = iota
	// Responses is OpenAI's responses: text.format
	// (platform.openai.com/docs/api-reference/responses/create).
	Responses
	// Messages is Anthropic's messages: output_config.format
	// (platform.claude.com/docs/en/build-with-claude/structured-outputs).
	Messages
)

// AppendTo appends a request's body to dst, and makes it ask for the schema's shape. at is the
// position in the body where bytes were put in, and put is how many. A body that already names a
// shape stays as it is; at and put are then 0.
func (s *Schema) AppendTo(dst, body []byte, form Form) (out []byte, at, put int) {
	outer, inner := "response_format", ""
	switch form {
	case Responses:
		outer, inner = "text", "format"
	case Messages:
		outer, inner = "output_config", "format"
	}
	before := len(dst)
	end := len(body) - 1 // the closing brace
	for w := rawjson.WalkAt(body, 0); w.Next(); {
		if string(w.Name) != outer {
			continue
		}
		value := w.Value()
		if inner == "" || len(value) == 0 || value[0] != '{' || !rawjson.IsNull(rawjson.MemberOf(value, inner)) {
			return append(dst, body...), 0, 0
		}
		end = w.Start + len(value) - 1
		dst = append(dst, body[:end]...)
		dst = s.appendFormat(comma(dst), inner, form)
		return append(dst, body[end:]...), end, len(dst) - before - end
	}
	dst = comma(append(dst, body[:end]...))
	if inner == "" {
		dst = s.appendFormat(dst, outer, form)
	} else {
		dst = append(rawjson.AppendQuoted(dst, outer), ":{"...)
		dst = append(s.appendFormat(dst, inner, form), '}')
	}
	return append(dst, body[end:]...), end, len(dst) - before - end
}

// comma appends a comma if something comes before it in the object.
func comma(dst []byte) []byte {
	for i := len(dst) - 1; i >= 0; i-- {
		if !rawjson.IsSpace(dst[i]) {
			if dst[i] != '{' {
				return append(dst, ',')
			}
			break
		}
	}
	return dst
}

// appendFormat appends the member that names the shape.
func (s *Schema) appendFormat(dst []byte, member string, form Form) []byte {
	dst = append(rawjson.AppendQuoted(dst, member), `:{"type":"json_schema",`...)
	if form == Chat {
		dst = append(dst, `"json_schema":{`...)
	}
	if form != Messages {
		dst = append(dst, `"name":`...)
		dst = rawjson.AppendQuoted(dst, s.name)
		if s.strict == nil {
			dst = append(dst, `,"strict":true`...)
		}
		dst = append(dst, ',')
	}
	dst = append(append(dst, `"schema":`...), s.text...)
	if form == Chat {
		dst = append(dst, '}')
	}
	return append(dst, '}')
}
