package sim

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// creationTime is 2025-01-01T00:00:00Z. Every answer that states a creation time states this one,
// so that equal requests get equal bytes.
const creationTime = 1735689600

// defaultDimensions is the size of an embedding whose request names none. Real embeddings have 1536
// dimensions and more, which would only make a rehearsal's output hard to read.
const defaultDimensions = 8

// layout indents a body when the options ask for it.
func (s *Server) layout(body []byte) []byte {
	if !s.options.Pretty {
		return body
	}
	pretty, err := jsontext.AppendFormat(nil, body, jsontext.Multiline(true), jsontext.WithIndent("  "),
		jsontext.AllowInvalidUTF8(true), jsontext.PreserveRawStrings(true))
	if err != nil {
		return body
	}
	return append(pretty, '\n')
}

// appendHead opens an answer: {"id":"<prefix><hash>","object":…,"<created>":…,"model":…
func appendHead(dst []byte, q *request, prefix, object, created string) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, prefix...)
	dst = append(dst, hex(q.hash)...)
	dst = append(dst, `","object":"`...)
	dst = append(dst, object...)
	dst = append(dst, `","`...)
	dst = append(dst, created...)
	dst = append(dst, `":`...)
	dst = strconv.AppendInt(dst, creationTime, 10)
	dst = append(dst, `,"model":`...)
	return appendQuoted(dst, q.answers())
}

// appendText appends the text of a choice as a JSON string.
func appendText(dst []byte, q *request, c *choice) []byte {
	if c.said != nil {
		return appendQuoted(dst, c.said)
	}
	q.text = q.writeText(q.text[:0], c)
	return appendQuoted(dst, q.text)
}

func appendNumber(dst []byte, name string, n int) []byte {
	dst = append(dst, name...)
	return strconv.AppendInt(dst, int64(n), 10)
}

// appendUsage appends the usage in the form of chat, completions and embeddings, and the end of the
// answer.
func appendUsage(dst []byte, q *request, u usage) []byte {
	if q.billing != nil {
		return appendBill(dst, q, u)
	}
	dst = appendNumber(dst, `,"usage":{"prompt_tokens":`, u.prompt)
	if q.endpoint.generates {
		dst = appendNumber(dst, `,"completion_tokens":`, u.completion)
	}
	dst = appendNumber(dst, `,"total_tokens":`, u.prompt+u.completion)
	if q.endpoint.generates {
		dst = append(dst, `,"prompt_tokens_details":{"cached_tokens":0}`...)
		dst = appendNumber(dst, `,"completion_tokens_details":{"reasoning_tokens":`, u.reasoning)
		dst = append(dst, '}')
	}
	return append(dst, "}}\n"...)
}

func appendChat(dst []byte, q *request, a *answer) []byte {
	dst = appendHead(dst, q, "chatcmpl-", "chat.completion", "created")
	dst = append(dst, `,"choices":[`...)
	for i := range a.choices {
		c := &a.choices[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendNumber(dst, `{"index":`, i)
		dst = append(dst, `,"message":{"role":"assistant","content":`...)
		if c.call != "" {
			dst = append(dst, `null,"tool_calls":[{"id":"call_`...)
			dst = append(dst, hex(c.hash)...)
			dst = append(dst, `","type":"function","function":{`...)
			dst = append(appendCall(dst, q, c), `}}]`...)
		} else {
			dst = appendText(dst, q, c)
		}
		dst = append(dst, `,"refusal":null},"logprobs":null,"finish_reason":"`...)
		dst = append(dst, c.finishReason()...)
		dst = append(dst, `"}`...)
	}
	dst = append(dst, ']')
	return appendUsage(dst, q, a.usage)
}

// appendCall appends the name of the function that a choice calls, and the arguments.
func appendCall(dst []byte, q *request, c *choice) []byte {
	dst = appendQuoted(append(dst, `"name":`...), c.call)
	return appendText(append(dst, `,"arguments":`...), q, c)
}

func appendCompletion(dst []byte, q *request, a *answer) []byte {
	dst = appendHead(dst, q, "cmpl-", "text_completion", "created")
	dst = append(dst, `,"choices":[`...)
	for i := range a.choices {
		c := &a.choices[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		q.echo = nil
		if prompt := q.inputs[i/q.n]; prompt[0] == '"' {
			q.echo = prompt
		}
		dst = append(dst, `{"text":`...)
		dst = appendText(dst, q, c)
		dst = appendNumber(dst, `,"index":`, i)
		dst = append(dst, `,"logprobs":null,"finish_reason":"`...)
		dst = append(dst, c.finishReason()...)
		dst = append(dst, `"}`...)
	}
	dst = append(dst, ']')
	return appendUsage(dst, q, a.usage)
}

func appendResponse(dst []byte, q *request, a *answer) []byte {
	c := &a.choices[0]
	id := hex(q.hash)
	dst = appendHead(dst, q, "resp_", "response", "created_at")
	status := `"completed"`
	if c.cut {
		status = `"incomplete"`
		dst = append(dst, `,"status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"}`...)
	} else {
		dst = append(dst, `,"status":"completed","error":null,"incomplete_details":null`...)
	}
	dst = append(dst, `,"output":[`...)
	if c.reasoning > 0 {
		dst = append(dst, `{"type":"reasoning","id":"rs_`...)
		dst = append(dst, id...)
		dst = append(dst, `","summary":[]}`...)
	}
	if c.visible > 0 && c.reasoning > 0 {
		dst = append(dst, ',')
	}
	switch {
	case c.visible == 0:
	case c.call != "":
		dst = append(dst, `{"type":"function_call","id":"fc_`...)
		dst = append(dst, id...)
		dst = append(dst, `","call_id":"call_`...)
		dst = append(dst, id...)
		dst = append(dst, `","status":`...)
		dst = append(append(dst, status...), ',')
		dst = append(appendCall(dst, q, c), '}')
	default:
		dst = append(dst, `{"type":"message","id":"msg_`...)
		dst = append(dst, id...)
		dst = append(dst, `","status":`...)
		dst = append(dst, status...)
		dst = append(dst, `,"role":"assistant","content":[{"type":"output_text","annotations":[],"text":`...)
		dst = appendText(dst, q, c)
		dst = append(dst, `}]}`...)
	}
	if q.billing != nil {
		return appendBill(append(dst, ']'), q, a.usage)
	}
	dst = appendNumber(dst, `],"usage":{"input_tokens":`, a.usage.prompt)
	dst = appendNumber(dst, `,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":`, a.usage.completion)
	dst = appendNumber(dst, `,"output_tokens_details":{"reasoning_tokens":`, a.usage.reasoning)
	dst = appendNumber(dst, `},"total_tokens":`, a.usage.prompt+a.usage.completion)
	return append(dst, "}}\n"...)
}

func appendEmbeddings(dst []byte, q *request, a *answer) []byte {
	dst = append(dst, `{"object":"list","data":[`...)
	dimensions := q.dimensions
	if dimensions == 0 {
		dimensions = defaultDimensions
	}
	vector := make([]float32, dimensions)
	for i, input := range q.inputs {
		if i > 0 {
			dst = append(dst, ',')
		}
		// The vector depends only on the seed and the input, so that equal texts get equal vectors in all
		// requests.
		fillVector(vector, hash(q.seed, input))
		dst = appendNumber(dst, `{"object":"embedding","index":`, i)
		dst = append(dst, `,"embedding":`...)
		dst = appendVector(dst, vector, q.base64)
		dst = append(dst, '}')
	}
	dst = append(dst, `],"model":`...)
	dst = appendQuoted(dst, q.answers())
	return appendUsage(dst, q, a.usage)
}

// fillVector makes v a vector of length 1 in a direction chosen by hash.
func fillVector(v []float32, hash uint64) {
	var square float64
	for i := range v {
		x := unit(mix(hash, uint64(i)))*2 - 1
		v[i] = float32(x)
		square += x * x
	}
	scale := float32(1 / math.Sqrt(max(square, 1e-12)))
	for i := range v {
		v[i] *= scale
	}
}

// appendVector writes numbers, or the base64 of their little-endian bytes.
func appendVector(dst []byte, v []float32, asBase64 bool) []byte {
	if asBase64 {
		raw := make([]byte, 0, 4*len(v))
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, raw)
		return append(dst, '"')
	}
	dst = append(dst, '[')
	for i, x := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendFloat(dst, float64(x), 'f', -1, 32)
	}
	return append(dst, ']')
}
