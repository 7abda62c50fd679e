package record

import "llmpipe/stream/record/rawjson"

// MaxInputs is how many inputs one request for embeddings may hold
// (platform.openai.com/docs/api-reference/embeddings/create).
const MaxInputs = 2048

// Packable is a request for one embedding, split so that it can be sent together with others. It is
// valid as long as its record.
type Packable struct {
	Weight int // bytes of the text, or how many token numbers; at least 1

	rec        *Record
	start, end int // the input in the body
	tokens     bool
}

// Packable splits the request. ok is false unless the request asks for exactly one embedding: it is
// false for another endpoint, for an array of inputs, and for an input that no provider takes.
func (r *Record) Packable() (p Packable, ok bool) {
	if r.Endpoint != Embeddings {
		return p, false
	}
	p.rec = r
	var buf [16]rawjson.Member
	members := rawjson.AppendMembers(buf[:0], r.Body, 0)
	for i := range members {
		if !members[i].Is(r.Body, "input") {
			continue
		}
		if ok {
			return p, false // the provider decides which of two inputs counts
		}
		p.start, p.end, ok = members[i].Value.Start, members[i].Value.End, true
	}
	return p, ok && p.weigh()
}

// weigh sets the weight of the input. It reports whether the input is a string or an array of token
// numbers.
func (p *Packable) weigh() bool {
	input := p.rec.Body[p.start:p.end]
	if rawjson.IsString(input) {
		p.Weight = max(1, len(input)-len(`""`))
		return true
	}
	p.tokens = true
	rawjson.Elements(input, func(value []byte) bool {
		p.tokens = rawjson.IsNumber(value)
		p.Weight++
		return p.tokens
	})
	return p.tokens && p.Weight > 0
}

// Size is the length of the input in bytes.
func (p *Packable) Size() int { return p.end - p.start }

// AppendKind appends a key that is equal for requests that can be packed together: the body without
// its input, and the type of the input, since providers do not take texts and token numbers in one
// request.
func (p *Packable) AppendKind(dst []byte) []byte {
	kind := byte('s')
	if p.tokens {
		kind = 't'
	}
	dst = append(dst, p.rec.Body[:p.start]...)
	dst = append(dst, 0, kind) // a byte that no JSON holds keeps the two sides apart
	return append(dst, p.rec.Body[p.end:]...)
}

// Pack makes r one request for the embeddings of all parts, which are of one kind. Its line, file
// and id, for messages, are those of the first part.
func (r *Record) Pack(parts []Packable) {
	first := parts[0].rec
	start, end := parts[0].start, parts[0].end
	body := append(r.buf[:0], first.Body[:start]...)
	body = append(body, '[')
	text := first.TextBytes - (end - start) + len("[]") + len(parts) - 1
	for i := range parts {
		p := &parts[i]
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, p.rec.Body[p.start:p.end]...)
		text += p.rec.TextBytes - (len(p.rec.Body) - p.Size())
	}
	body = append(body, ']')
	grown := len(body) - end
	body = append(body, first.Body[end:]...)
	*r = Record{
		Line: first.Line, File: first.File, ID: first.ID, Endpoint: first.Endpoint, Body: body, Model: first.Model,
		MaxTokens: first.MaxTokens, N: first.N, TextBytes: text, Tier: first.Tier, Verbatim: first.Verbatim,
		modelStart: first.modelStart, modelEnd: first.modelEnd, buf: body,
	}
	if r.modelStart > start {
		r.modelStart += grown
		r.modelEnd += grown
	}
}

// EmbeddingInputs returns the number of inputs of a request for embeddings: the length of an array
// of texts or of token arrays, and one for a single text or token array.
func EmbeddingInputs(body []byte) int {
	input := rawjson.MemberOf(body, "input")
	first := rawjson.First(input)
	if len(first) == 0 || first[0] != '"' && first[0] != '[' {
		return 1
	}
	n := 0
	rawjson.Elements(input, func([]byte) bool {
		n++
		return true
	})
	return n
}
