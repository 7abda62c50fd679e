package mend

import (
	"bytes"

	"llmpipe/stream/record/rawjson"
)

// isEvents reports whether a body is a stream of server-sent events, by the field that it begins
// with (WHATWG HTML, section 9.2.6).
func isEvents(src []byte) bool {
	for _, field := range [...]string{"data:", "event:", "id:", "retry:", ":"} {
		if bytes.HasPrefix(src, []byte(field)) {
			return true
		}
	}
	return false
}

// isChunk reports whether an object is a chunk of an answer in OpenAI's streaming form.
func isChunk(object []byte) bool {
	if kind := rawjson.MemberOf(object, "object"); rawjson.IsString(kind) && rawjson.Says(kind, "chat.completion.chunk") {
		return true
	}
	return rawjson.MemberOf(rawjson.First(rawjson.MemberOf(object, "choices")), "delta") != nil
}

// joinEvents makes one answer from the events of a stream. ok is false if they break off, or are
// not an answer.
func joinEvents(src []byte) (answer []byte, ok bool) {
	var s streamed
	for bytes.HasPrefix(src, []byte(":")) { // a comment: it may keep the connection alive while the answer is made
		_, rest, _ := bytes.Cut(src, []byte("\n"))
		src = rawjson.TrimSpace(rest)
	}
	if !isEvents(src) {
		return mendValue(src)
	}
	for line := range bytes.Lines(src) {
		data, isData := bytes.CutPrefix(rawjson.TrimSpace(line), []byte("data:"))
		if !isData {
			continue
		}
		if data = rawjson.TrimSpace(data); !s.add(data) {
			return nil, false
		}
	}
	return s.answer()
}

// joinChunks makes one answer from chunks that follow each other with only white space between
// them.
func joinChunks(src []byte) (answer []byte, ok bool) {
	var s streamed
	for i := 0; i < len(src); {
		end := rawjson.ValidValue(src, i)
		if end < 0 {
			return nil, false
		}
		s.add(src[i:end])
		i = rawjson.SkipSpace(src, end)
	}
	return s.answer()
}

// streamed holds the parts of an answer that have come so far.
type streamed struct {
	whole   []byte // an object that is a whole answer, or an error
	first   []byte // the first chunk, which has the answer's id and model
	usage   []byte // the last one that a chunk has
	choices []streamedChoice
	ended   bool // the stream says that the answer has ended
}

type streamedChoice struct {
	index, finish            []byte
	content, refusal, reason stringBuilder
	text                     stringBuilder // the text of a completion
	calls                    []streamedCall
}

type streamedCall struct {
	index, id, kind []byte
	name, arguments stringBuilder
}

// stringBuilder joins JSON strings. It holds a JSON string without its closing quote.
type stringBuilder []byte

func (b *stringBuilder) add(token []byte) {
	switch {
	case !rawjson.IsString(token):
	case *b == nil:
		*b = append(*b, token[:len(token)-1]...)
	default:
		*b = append(*b, token[1:len(token)-1]...)
	}
}

// json returns the string; null if there is none.
func (b stringBuilder) json() []byte {
	if b == nil {
		return []byte("null")
	}
	return append(b, '"')
}

// add takes in the data of an event. It reports false if the data cannot be read.
func (s *streamed) add(data []byte) bool {
	switch {
	case len(data) == 0 || s.whole != nil:
		return true
	case string(data) == "[DONE]":
		s.ended = true
		return true
	case !rawjson.Valid(data):
		return false
	}
	switch string(rawjson.MemberOf(data, "type")) {
	case `"response.completed"`, `"response.incomplete"`, `"response.failed"`: // the last event of a response has all of it
		s.whole = rawjson.MemberOf(data, "response")
		return true
	case `"error"`:
		s.whole = data
		return true
	}
	choices := rawjson.MemberOf(data, "choices")
	switch {
	case !rawjson.SaysNothing(rawjson.MemberOf(data, "error")),
		rawjson.MemberOf(rawjson.First(choices), "message") != nil,
		rawjson.MemberOf(data, "output") != nil:
		s.whole = data
	case choices != nil:
		s.addChunk(data)
	}
	return true
}

func (s *streamed) addChunk(data []byte) {
	if s.first == nil {
		s.first = data
	}
	if usage := rawjson.MemberOf(data, "usage"); !rawjson.IsNull(usage) {
		s.usage = usage
	}
	rawjson.Elements(rawjson.MemberOf(data, "choices"), func(choice []byte) bool {
		s.choice(rawjson.MemberOf(choice, "index")).add(choice)
		return true
	})
}

// choice returns the choice with the given index, which it adds if it is new.
func (s *streamed) choice(index []byte) *streamedChoice {
	for i := range s.choices {
		if bytes.Equal(s.choices[i].index, index) {
			return &s.choices[i]
		}
	}
	s.choices = append(s.choices, streamedChoice{index: index})
	return &s.choices[len(s.choices)-1]
}

func (c *streamedChoice) add(choice []byte) {
	if finish := rawjson.MemberOf(choice, "finish_reason"); rawjson.TextOf(finish) != nil {
		c.finish = finish
	}
	c.text.add(rawjson.MemberOf(choice, "text"))
	for w := rawjson.WalkAt(rawjson.MemberOf(choice, "delta"), 0); w.Next(); {
		switch string(w.Name) {
		case "content":
			c.content.add(w.Value())
		case "refusal":
			c.refusal.add(w.Value())
		case "reasoning_content":
			c.reason.add(w.Value())
		case "tool_calls":
			rawjson.Elements(w.Value(), func(call []byte) bool {
				c.call(rawjson.MemberOf(call, "index")).add(call)
				return true
			})
		}
	}
}

// call returns the call with the given index, which it adds if it is new.
func (c *streamedChoice) call(index []byte) *streamedCall {
	for i := range c.calls {
		if bytes.Equal(c.calls[i].index, index) {
			return &c.calls[i]
		}
	}
	c.calls = append(c.calls, streamedCall{index: index})
	return &c.calls[len(c.calls)-1]
}

func (c *streamedCall) add(call []byte) {
	if id := rawjson.MemberOf(call, "id"); c.id == nil {
		c.id = rawjson.TextOf(id)
	}
	if kind := rawjson.MemberOf(call, "type"); c.kind == nil {
		c.kind = rawjson.TextOf(kind)
	}
	function := rawjson.MemberOf(call, "function")
	c.name.add(rawjson.MemberOf(function, "name"))
	c.arguments.add(rawjson.MemberOf(function, "arguments"))
}

// answer returns the answer that the parts make together. ok is false if it has not ended.
func (s *streamed) answer() (answer []byte, ok bool) {
	if s.whole != nil {
		return s.whole, s.whole[0] == '{'
	}
	for i := range s.choices {
		s.ended = s.ended || s.choices[i].finish != nil
	}
	if !s.ended || len(s.choices) == 0 {
		return nil, false
	}
	dst := append([]byte(nil), '{')
	for _, name := range [...]string{"id", "created", "model", "system_fingerprint", "service_tier"} {
		if value := rawjson.MemberOf(s.first, name); !rawjson.IsNull(value) {
			dst = rawjson.AppendMember(dst, name, value)
		}
	}
	dst = append(rawjson.AppendKey(dst, "choices"), '[')
	for i := range s.choices {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = s.choices[i].append(dst)
	}
	dst = append(dst, ']')
	if s.usage != nil {
		dst = rawjson.AppendMember(dst, "usage", s.usage)
	}
	return append(dst, '}'), true
}

func (c *streamedChoice) append(dst []byte) []byte {
	dst = append(dst, '{')
	if c.index != nil {
		dst = rawjson.AppendMember(dst, "index", c.index)
	}
	if c.text != nil {
		dst = rawjson.AppendMember(dst, "text", c.text.json())
	} else {
		dst = c.appendMessage(append(rawjson.AppendKey(dst, "message"), '{'))
	}
	if c.finish == nil {
		return append(rawjson.AppendMember(dst, "finish_reason", []byte("null")), '}')
	}
	return append(rawjson.AppendMember(dst, "finish_reason", c.finish), '}')
}

func (c *streamedChoice) appendMessage(dst []byte) []byte {
	dst = rawjson.AppendMember(dst, "role", []byte(`"assistant"`))
	dst = rawjson.AppendMember(dst, "content", c.content.json())
	if c.refusal != nil {
		dst = rawjson.AppendMember(dst, "refusal", c.refusal.json())
	}
	if c.reason != nil {
		dst = rawjson.AppendMember(dst, "reasoning_content", c.reason.json())
	}
	if len(c.calls) > 0 {
		dst = append(rawjson.AppendKey(dst, "tool_calls"), '[')
		for i := range c.calls {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = c.calls[i].append(dst)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func (c *streamedCall) append(dst []byte) []byte {
	dst = append(dst, '{')
	if c.id != nil {
		dst = rawjson.AppendMember(dst, "id", c.id)
	}
	if c.kind == nil {
		c.kind = []byte(`"function"`)
	}
	dst = rawjson.AppendMember(dst, "type", c.kind)
	dst = append(rawjson.AppendKey(dst, "function"), '{')
	dst = rawjson.AppendMember(dst, "name", c.name.json())
	dst = rawjson.AppendMember(dst, "arguments", c.arguments.json())
	return append(dst, '}', '}')
}
