package provider

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// What a prompt costs, in tokens. This is a count that anyone can repeat, not a
// tokeniser: a quarter of a text's bytes, rounded up, and per message what
// OpenAI's cookbook gives for the chat format ("How to count tokens with
// tiktoken"). An image is what OpenAI bills for one of low detail.
const (
	simBytesPerToken = 4
	simPerMessage    = 3
	simPerReply      = 3
	simPerImage      = 85
)

// simRequest is what the simulator reads out of a request body, in one pass.
// Its slices alias the body.
type simRequest struct {
	endpoint *simEndpoint
	body     []byte
	seed     uint64
	hash     uint64 // of the seed and the body: every answer comes from it

	model      string
	stream     bool
	base64     bool // encoding_format of embeddings
	maxTokens  int  // 0 when the request names none
	n          int
	dimensions int
	hasPrompt  bool
	inputs     [][]byte // embeddings' inputs and completions' prompts, raw JSON
	echo       []byte   // a raw JSON string that the answer quotes, or nil

	promptTokens int // of the prompt
	otherTokens  int // of instructions and tools

	decoder *jsontext.Decoder
	source  bytes.Buffer
	scratch []byte
	text    []byte
}

// reset readies q for body and keeps its buffers.
func (q *simRequest) reset(body []byte) {
	decoder := q.decoder
	if decoder == nil {
		decoder = new(jsontext.Decoder)
	}
	*q = simRequest{body: body, n: 1, decoder: decoder, inputs: q.inputs[:0], scratch: q.scratch[:0], text: q.text[:0]}
}

// parse reads body as a request to e. What is not needed to answer is checked
// for syntax only, as servers do that ignore the fields they do not know.
func (q *simRequest) parse(e *simEndpoint, seed uint64, body []byte) *simError {
	q.reset(body)
	q.endpoint, q.seed = e, seed
	q.hash = simHash(seed, body)
	// The decoder reads out of the buffer in place.
	q.source = *bytes.NewBuffer(body)
	q.decoder.Reset(&q.source, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

	if q.decoder.PeekKind() != '{' {
		if _, err := q.decoder.ReadValue(); err != nil {
			return simErrJSON(err)
		}
		return simErrJSON(errors.New("it is not an object"))
	}
	if fault := q.object(q.member); fault != nil {
		return fault
	}
	if _, err := q.decoder.ReadToken(); err != io.EOF {
		if err == nil {
			err = errors.New("there is more after the end of the object")
		}
		return simErrJSON(err)
	}
	switch {
	case q.model == "":
		return &simError{status: 400, kind: simInvalid, message: "you must provide a model parameter"}
	case !q.hasPrompt:
		return simErrMissing(e.prompt)
	case q.stream:
		return &simError{status: 400, kind: simInvalid, param: "stream", code: "unsupported_value",
			message: "Unsupported value: 'stream' does not support true here."}
	}
	return nil
}

// object reads an object and hands each name to member, which reads the value.
func (q *simRequest) object(member func(name []byte) *simError) *simError {
	if _, err := q.decoder.ReadToken(); err != nil {
		return simErrJSON(err)
	}
	for q.decoder.PeekKind() == '"' {
		name, fault := q.value()
		if fault != nil {
			return fault
		}
		if fault := member(q.plain(name)); fault != nil {
			return fault
		}
	}
	return q.end()
}

// array reads an array and calls element before each value, to read it.
func (q *simRequest) array(element func() *simError) *simError {
	if _, err := q.decoder.ReadToken(); err != nil {
		return simErrJSON(err)
	}
	for q.decoder.PeekKind() != ']' {
		if q.decoder.PeekKind() == 0 {
			break
		}
		if fault := element(); fault != nil {
			return fault
		}
	}
	return q.end()
}

// end reads the delimiter that closes an object or an array.
func (q *simRequest) end() *simError {
	if _, err := q.decoder.ReadToken(); err != nil {
		return simErrJSON(err)
	}
	return nil
}

// value reads the next value whole and returns its bytes in the body.
func (q *simRequest) value() ([]byte, *simError) {
	v, err := q.decoder.ReadValue()
	if err != nil {
		return nil, simErrJSON(err)
	}
	end := q.decoder.InputOffset()
	return q.body[end-int64(len(v)) : end : end], nil
}

// member reads one member of the request.
func (q *simRequest) member(name []byte) *simError {
	if string(name) == q.endpoint.prompt {
		q.promptTokens, q.inputs, q.echo = 0, q.inputs[:0], nil
		q.hasPrompt = q.decoder.PeekKind() != 'n'
		return q.endpoint.readPrompt(q)
	}
	switch string(name) {
	case "model":
		return q.readModel()
	case "stream":
		v, fault := q.value()
		q.stream = string(v) == "true"
		return fault
	case "max_tokens", "max_completion_tokens", "max_output_tokens":
		return q.readCount(string(name), 1<<31-1, &q.maxTokens)
	case "n":
		return q.readCount("n", 128, &q.n)
	case "dimensions":
		return q.readCount("dimensions", 4096, &q.dimensions)
	case "encoding_format":
		v, fault := q.value()
		q.base64 = string(v) == `"base64"`
		return fault
	case "instructions", "tools":
		v, fault := q.value()
		q.otherTokens += q.tokens(v)
		return fault
	}
	if err := q.decoder.SkipValue(); err != nil {
		return simErrJSON(err)
	}
	return nil
}

func (q *simRequest) readModel() *simError {
	v, fault := q.value()
	if fault != nil {
		return fault
	}
	if v[0] != '"' {
		return simErrType("model", "a string")
	}
	q.model = string(q.plain(v))
	return nil
}

// readCount reads a whole number from 1 to most; null leaves out as it is.
func (q *simRequest) readCount(param string, most int, out *int) *simError {
	v, fault := q.value()
	if fault != nil || v[0] == 'n' {
		return fault
	}
	number, err := strconv.Atoi(string(v))
	if err != nil {
		return simErrType(param, "an integer")
	}
	if number < 1 || number > most {
		return simErrValue(param, "an integer from 1 to "+strconv.Itoa(most))
	}
	*out = number
	return nil
}

// plain returns the text of a raw JSON string; it is valid until the next call.
func (q *simRequest) plain(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	// Only invalid UTF-8 is an error here, and it is replaced, which will do.
	q.scratch, _ = jsontext.AppendUnquote(q.scratch[:0], raw)
	return q.scratch
}

// tokens counts a raw value: a string by its text, anything else as it stands.
func (q *simRequest) tokens(raw []byte) int {
	size := len(raw)
	switch raw[0] {
	case '"':
		size = len(q.plain(raw))
	case 'n':
		size = 0
	}
	return (size + simBytesPerToken - 1) / simBytesPerToken
}

// readMessages reads the prompt of a chat or of a response: messages with a
// role and a content that is text or parts.
func (q *simRequest) readMessages() *simError {
	q.promptTokens = simPerReply
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
		q.promptTokens += simPerMessage + q.tokens(v)
		return nil
	case '[':
		messages := 0
		fault := q.array(func() *simError {
			messages++
			return q.readMessage()
		})
		if fault == nil && messages == 0 {
			return simErrValue(q.endpoint.prompt, "an array with at least one message")
		}
		return fault
	}
	return q.wrongType("an array of messages")
}

func (q *simRequest) readMessage() *simError {
	if q.decoder.PeekKind() != '{' {
		return q.wrongType("an array of objects")
	}
	var said []byte
	fromUser := false
	q.promptTokens += simPerMessage
	fault := q.object(func(name []byte) *simError {
		switch string(name) {
		case "role":
			v, fault := q.value()
			fromUser = string(v) == `"user"`
			return fault
		case "content":
			if q.decoder.PeekKind() == '[' {
				return q.array(func() *simError { return q.readPart(&said) })
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
func (q *simRequest) readPart(said *[]byte) *simError {
	if q.decoder.PeekKind() != '{' {
		return q.wrongType("an array of objects")
	}
	return q.object(func(name []byte) *simError {
		image := string(name) == "image_url"
		text := string(name) == "text"
		label := string(name) == "type"
		v, fault := q.value()
		switch {
		case fault != nil || label:
			return fault
		case image:
			q.promptTokens += simPerImage
			return nil
		case text && v[0] == '"' && *said == nil:
			*said = v
		}
		q.promptTokens += q.tokens(v)
		return nil
	})
}

// readInputs reads embeddings' input and completions' prompt: a string, an
// array of strings, an array of token numbers, or an array of those.
func (q *simRequest) readInputs() *simError {
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
	fault := q.array(func() *simError {
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
		return simErrType(q.endpoint.prompt, want+" of one kind")
	case numbers > 0:
		// White space before the bracket would make the hash depend on layout.
		q.inputs = append(q.inputs, bytes.TrimLeft(q.body[begin:q.decoder.InputOffset()], ": \t\r\n"))
		q.promptTokens += numbers
	case len(q.inputs) == 0:
		return simErrValue(q.endpoint.prompt, "at least one input")
	}
	return nil
}

// readInput reads one input: a string, or an array of token numbers.
func (q *simRequest) readInput() *simError {
	v, fault := q.value()
	if fault != nil {
		return fault
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

// wrongType skips the next value, so that a body that is not JSON is called so,
// and complains about its type.
func (q *simRequest) wrongType(want string) *simError {
	if q.decoder.PeekKind() == 'n' && q.decoder.StackDepth() == 1 {
		_, fault := q.value()
		return fault // as good as absent, and said later
	}
	if _, fault := q.value(); fault != nil {
		return fault
	}
	return simErrType(q.endpoint.prompt, want)
}
