package sim

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// request is what the simulator reads out of a request body, in one pass.
// Its slices alias the body.
type request struct {
	endpoint *endpoint
	body     []byte
	seed     uint64
	hash     uint64 // of the seed and the body: ids come from it, and words except in a conversation

	billing *billing // nil if Options.Bill is not set
	tier    string   // service_tier

	model      string
	stream     bool
	base64     bool // encoding_format of embeddings
	maxTokens  int  // 0 when the request names none
	n          int
	dimensions int
	hasPrompt  bool
	inputs     [][]byte // embeddings' inputs and completions' prompts, raw JSON
	echo       []byte   // a raw JSON string that the answer quotes, or nil

	promptTokens int // of the prompt's text
	otherTokens  int // of instructions, tools, the form of the answer, and pictures
	pictures     []picture

	structured structured
	structure  *structure // nil for text
	message    message    // what only Anthropic's requests have
	cached     cached     // what it reads from the cache and writes to it

	decoder *jsontext.Decoder
	source  bytes.Buffer
	scratch []byte
	text    []byte
}

// reset prepares q for body and keeps its buffers.
func (q *request) reset(body []byte) {
	decoder := q.decoder
	if decoder == nil {
		decoder = new(jsontext.Decoder)
	}
	*q = request{body: body, n: 1, decoder: decoder, inputs: q.inputs[:0], scratch: q.scratch[:0], text: q.text[:0]}
}

// parse reads body as a request to e. Members that the answer does not need are only checked for
// syntax, as servers do that ignore fields they do not know.
func (q *request) parse(e *endpoint, o *Options, body []byte) *apiError {
	q.reset(body)
	q.endpoint, q.seed, q.billing = e, o.Seed, billings[o.Bill]
	q.hash = hash(o.Seed, body)
	// The decoder reads out of the buffer in place.
	q.source = *bytes.NewBuffer(body)
	q.decoder.Reset(&q.source, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

	if q.decoder.PeekKind() != '{' {
		if _, err := q.decoder.ReadValue(); err != nil {
			return errJSON(err)
		}
		return errJSON(errors.New("it is not an object"))
	}
	if fault := q.object(q.member); fault != nil {
		return fault
	}
	if _, err := q.decoder.ReadToken(); err != io.EOF {
		if err == nil {
			err = errors.New("there is more after the end of the object")
		}
		return errJSON(err)
	}
	if q.endpoint.anthropic {
		if fault := q.checkMessage(); fault != nil {
			return fault
		}
	}
	switch {
	case q.model == "":
		return &apiError{status: 400, kind: invalid, message: "you must provide a model parameter"}
	case !q.hasPrompt:
		return errMissing(e.prompt)
	case q.stream:
		return &apiError{status: 400, kind: invalid, param: "stream", code: "unsupported_value",
			message: "Unsupported value: 'stream' does not support true here."}
	}
	if fault := q.checkPictures(); fault != nil {
		return fault
	}
	for i := range q.pictures {
		q.otherTokens += q.pictures[i].tokens(q.model)
	}
	var fault *apiError
	q.structure, fault = q.plan()
	return fault
}

// object reads an object and hands each name to member, which reads the value.
func (q *request) object(member func(name []byte) *apiError) *apiError {
	if _, err := q.decoder.ReadToken(); err != nil {
		return errJSON(err)
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
func (q *request) array(element func() *apiError) *apiError {
	if _, err := q.decoder.ReadToken(); err != nil {
		return errJSON(err)
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
func (q *request) end() *apiError {
	if _, err := q.decoder.ReadToken(); err != nil {
		return errJSON(err)
	}
	return nil
}

// value reads the next value whole and returns its bytes in the body.
func (q *request) value() ([]byte, *apiError) {
	v, err := q.decoder.ReadValue()
	if err != nil {
		return nil, errJSON(err)
	}
	end := q.decoder.InputOffset()
	return q.body[end-int64(len(v)) : end : end], nil
}

// member reads one member of the request.
func (q *request) member(name []byte) *apiError {
	if string(name) == q.endpoint.prompt {
		q.promptTokens, q.inputs, q.echo, q.pictures = 0, q.inputs[:0], nil, nil
		q.hasPrompt = q.decoder.PeekKind() != 'n'
		begin := q.decoder.InputOffset()
		fault := q.endpoint.readPrompt(q)
		q.message.messages = bytes.TrimLeft(q.body[begin:q.decoder.InputOffset()], ": \t\r\n")
		return fault
	}
	if handled, fault := q.messageMember(string(name)); handled {
		return fault
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
	case "service_tier":
		v, fault := q.value()
		if fault == nil && v[0] == '"' {
			q.tier = string(q.plain(v))
		}
		return fault
	case "instructions":
		return q.readOther(nil)
	case "tools":
		return q.readOther(&q.structured.tools)
	case "response_format":
		if q.endpoint == chat {
			return q.readOther(&q.structured.format)
		}
	case "text":
		if q.endpoint == responses {
			return q.readOther(&q.structured.format)
		}
	case "tool_choice":
		if q.endpoint == chat || q.endpoint == responses {
			v, fault := q.value()
			q.structured.toolChoice = v
			return fault
		}
	}
	if err := q.decoder.SkipValue(); err != nil {
		return errJSON(err)
	}
	return nil
}

// readOther reads a value that is billed in addition to the prompt. It stores the value in out,
// unless out is nil.
func (q *request) readOther(out *[]byte) *apiError {
	v, fault := q.value()
	if fault != nil {
		return fault
	}
	if out != nil {
		*out = v
	}
	q.otherTokens += q.tokens(v)
	return nil
}

func (q *request) readModel() *apiError {
	v, fault := q.value()
	if fault != nil {
		return fault
	}
	if v[0] != '"' {
		return errType("model", "a string")
	}
	q.model = string(q.plain(v))
	return nil
}

// readCount reads a whole number from 1 to most into out. null leaves out unchanged.
func (q *request) readCount(param string, most int, out *int) *apiError {
	v, fault := q.value()
	if fault != nil || v[0] == 'n' {
		return fault
	}
	number, err := strconv.Atoi(string(v))
	if err != nil {
		return errType(param, "an integer")
	}
	if number < 1 || number > most {
		return errValue(param, "an integer from 1 to "+strconv.Itoa(most))
	}
	*out = number
	return nil
}

// plain returns the text of a raw JSON string; it is valid until the next call.
func (q *request) plain(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	// Only invalid UTF-8 is an error here. It is replaced, which is good enough.
	q.scratch, _ = jsontext.AppendUnquote(q.scratch[:0], raw)
	return q.scratch
}
