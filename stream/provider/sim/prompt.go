package sim

import (
	"bytes"
	"strconv"
)

// maxInputs is how many inputs one request may hold
// (platform.openai.com/docs/api-reference/embeddings/create).
const maxInputs = 2048

// What a prompt costs, in tokens. This is a count that anyone can repeat, not a tokeniser: a
// quarter of a text's bytes, rounded up, and for each message what OpenAI's cookbook gives for the
// chat format ("How to count tokens with tiktoken"). picture.go counts what is not text.
const (
	bytesPerToken = 4
	perMessage    = 3
	perReply      = 3
)

// readMessages reads the prompt of a chat or of a response: a list of messages, each with a role
// and with content that is a text or a list of parts. A response's prompt may also be a text.
func (q *request) readMessages() *apiError {
	q.promptTokens = perReply
	switch q.decoder.PeekKind() {
	case '"':
		if !q.endpoint.bareText {
			return q.wrongType("an array of messages")
		}
		v, fault := q.value()
		if fault != nil {
			return fault
		}
		q.echo = v
		q.promptTokens += perMessage + q.tokens(v)
		return nil
	case '[':
		messages := 0
		fault := q.array(func() *apiError {
			messages++
			return q.readMessage(messages - 1)
		})
		if fault == nil && messages == 0 {
			return errValue(q.endpoint.prompt, "an array with at least one message")
		}
		return fault
	}
	return q.wrongType("an array of messages")
}

func (q *request) readMessage(at int) *apiError {
	if q.decoder.PeekKind() != '{' {
		return q.wrongType("an array of objects")
	}
	var said []byte
	fromUser := false
	q.promptTokens += perMessage
	fault := q.object(func(name []byte) *apiError {
		switch string(name) {
		case "role":
			v, fault := q.value()
			fromUser = string(v) == `"user"`
			q.noteRole(at, v)
			return fault
		case "content":
			if q.decoder.PeekKind() == '[' {
				parts := 0
				return q.array(func() *apiError {
					parts++
					return q.readPart(&said, picture{message: at, at: parts - 1})
				})
			}
			v, fault := q.value()
			if fault != nil {
				return fault
			}
			if v[0] == '"' {
				said = v
			}
			q.promptTokens += q.tokens(v)
			return nil
		case "type", "id", "status":
			_, fault := q.value()
			return fault
		}
		v, fault := q.value()
		if fault == nil {
			q.promptTokens += q.tokens(v)
		}
		return fault
	})
	if said != nil && (fromUser || q.echo == nil) {
		q.echo = said
	}
	return fault
}

// readPart reads one part of a content: text, an image, or something else.
func (q *request) readPart(said *[]byte, p picture) *apiError {
	if q.decoder.PeekKind() != '{' {
		return q.wrongType("an array of objects")
	}
	fault := q.object(func(name []byte) *apiError {
		v, fault := q.value()
		if fault != nil {
			return fault
		}
		switch string(name) {
		case "type":
			p.part = string(q.plain(v))
			return nil
		case "cache_control":
			return nil
		case "image_url", "input_audio", "file", "file_data", "source":
			p.form, p.raw = string(name), v
			return nil
		case "detail":
			p.detail = string(q.plain(v))
			return nil
		case "text":
			if v[0] == '"' && *said == nil {
				*said = v
			}
		}
		q.promptTokens += q.tokens(v)
		return nil
	})
	if p.raw != nil {
		p.look()
		q.pictures = append(q.pictures, p)
	}
	return fault
}

// readInputs reads the input of embeddings and the prompt of completions: a string, an array of
// strings, an array of token numbers, or an array of such arrays.
func (q *request) readInputs() *apiError {
	const want = "a string or an array"
	switch q.decoder.PeekKind() {
	case '"':
		return q.readInput()
	case '[':
	default:
		return q.wrongType(want)
	}
	begin := q.decoder.InputOffset()
	numbers := 0
	fault := q.array(func() *apiError {
		switch q.decoder.PeekKind() {
		case '"', '[':
			return q.readInput()
		case '0':
			numbers++
			_, fault := q.value()
			return fault
		}
		return q.wrongType("an array of strings or of tokens")
	})
	switch {
	case fault != nil:
		return fault
	case numbers > 0 && len(q.inputs) > 0:
		return errType(q.endpoint.prompt, want+" of one kind")
	case numbers > 0:
		// White space before the bracket would make the hash depend on layout.
		q.inputs = append(q.inputs, bytes.TrimLeft(q.body[begin:q.decoder.InputOffset()], ": \t\r\n"))
		q.promptTokens += numbers
	case len(q.inputs) == 0:
		return errValue(q.endpoint.prompt, "at least one input")
	}
	return nil
}

// readInput reads one input: a string, or an array of token numbers.
func (q *request) readInput() *apiError {
	v, fault := q.value()
	if fault != nil {
		return fault
	}
	if len(q.inputs) == maxInputs {
		return errValue(q.endpoint.prompt, "at most "+strconv.Itoa(maxInputs)+" inputs")
	}
	q.inputs = append(q.inputs, v)
	if v[0] == '[' {
		q.promptTokens += bytes.Count(v, []byte(",")) + 1
		return nil
	}
	if q.echo == nil {
		q.echo = v
	}
	q.promptTokens += q.tokens(v)
	return nil
}

// wrongType reads the next value. If that is not valid JSON it says so; otherwise it complains
// about the value's type.
func (q *request) wrongType(want string) *apiError {
	if q.decoder.PeekKind() == 'n' && q.decoder.StackDepth() == 1 {
		_, fault := q.value()
		return fault // null counts as absent, which parse reports later
	}
	if _, fault := q.value(); fault != nil {
		return fault
	}
	return errType(q.endpoint.prompt, want)
}

// tokens counts the tokens of a raw value: those of a string's text, or of any other value as it is
// written. null has none.
func (q *request) tokens(raw []byte) int {
	size := len(raw)
	switch raw[0] {
	case '"':
		size = len(q.plain(raw))
	case 'n':
		size = 0
	}
	return (size + bytesPerToken - 1) / bytesPerToken
}
