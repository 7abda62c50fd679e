package record

import (
	"bytes"
	"math"

	"llmpipe/stream/record/media"
	"llmpipe/stream/record/rawjson"
)

// The tokens of a chat besides its text, from OpenAI's cookbook ("How to count tokens with
// tiktoken", num_tokens_from_messages): the frame of each message, and the beginning of the reply.
// A role counts as text.
const (
	perMessage = 3
	perReply   = 3
)

// EstimateTokens estimates the prompt tokens of the record's request for a model. Text is estimated
// from the kinds of characters in the body's strings; keys, and values that are not strings, cost
// nothing. Images, recordings and files are counted as the model's provider counts them. The frames
// of messages are counted; the model's name is not.
//
// It is meant for the sum over many requests, before any answer has reported its prompt tokens: a
// tokenizer is a thousand times slower, and right for only one family of models.
func (r *Record) EstimateTokens(model string) int {
	other := media.Count(model, r.Media).Likely + int64(r.strays)*media.StrayTokens
	text := estimateText(r.Body[:r.modelStart]) + estimateText(r.Body[r.modelEnd:])
	return text + r.frames() + int(min(other, math.MaxInt32))
}

// frames returns the tokens that the messages of a conversation cost besides their text.
func (r *Record) frames() int {
	if r.Endpoint == Embeddings || r.Endpoint == Completions {
		return 0
	}
	const role = `"role"`
	messages := 0
	for rest := r.Body; ; messages++ {
		i := bytes.Index(rest, []byte(role))
		if i < 0 {
			break
		}
		rest = rest[i+len(role):]
	}
	return perReply + perMessage*max(messages, 1)
}

// MostTokens returns the most prompt tokens that the record's request can be billed for when body
// goes to a model: a token of text is at least one byte. open reports that the request also has
// something, such as a file, whose tokens are bounded only by the model's context window.
func (r *Record) MostTokens(body []byte, model string) (most int64, open bool) {
	most = int64(len(body))
	if len(r.Media) == 0 {
		return most, r.continues
	}
	for i := range r.Media {
		if !r.Media[i].Apart {
			most -= int64(r.Media[i].Encoded)
		}
	}
	other := media.Count(model, r.Media)
	return most + other.Most, other.Open || r.continues
}

// estimateText estimates the tokens of the text in a body.
func estimateText(body []byte) int {
	var c tokenCounter
	for i := 0; i < len(body); {
		if body[i] != '"' {
			i++
			continue
		}
		end := rawjson.SkipString(body, i)
		text := body[i+1 : end-1]
		if next := rawjson.SkipSpace(body, end); next < len(body) && body[next] == ':' {
			i = next
			continue
		}
		i = end
		if len(text) <= blobSize || !isBlob(text) {
			c.add(text)
		}
	}
	return (c.sixths + 5) / 6
}

// A character's kind decides what it adds, in sixths of a token. The weights are fitted to the
// o200k and cl100k vocabularies on prose, code and JSON in several languages.
type charKind uint8

const (
	letter charKind = iota
	digit
	space
	mark
	leading // the first byte of a character beyond ASCII
	trailing
)

var charKinds = func() (kinds [256]charKind) {
	for i := range kinds {
		switch c := byte(i); {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			kinds[i] = letter
		case c >= '0' && c <= '9':
			kinds[i] = digit
		case c <= ' ':
			kinds[i] = space
		case c < 0x80:
			kinds[i] = mark
		case c >= 0xc0:
			kinds[i] = leading
		default:
			kinds[i] = trailing
		}
	}
	return kinds
}()

// escaped is what an escape adds, in sixths of a token. Most escapes are line breaks.
const escaped = 2

// escapeWeight returns what the escape at the start of text adds, in sixths of a token, and its
// length in bytes. A \u escape of a character beyond ASCII adds about what the character itself
// would.
func escapeWeight(text []byte) (weight, size int) {
	if len(text) < 6 || text[1] != 'u' {
		return escaped, 2
	}
	switch utf8Size(text[2:6]) {
	case 1:
		return escaped, 6
	case 2:
		if text[2]|0x20 == 'd' { // half of a pair
			return 6, 6
		}
		return 3, 6
	}
	return 5, 6
}

// utf8Size returns how many bytes of UTF-8 the character with four given hexadecimal digits takes.
// Half a surrogate pair counts half of the pair's four bytes.
func utf8Size(digits []byte) int {
	switch {
	case digits[0] == '0' && digits[1] == '0' && digits[2] < '8':
		return 1
	case digits[0] == '0' && digits[1] < '8', (digits[0]|0x20) == 'd' && digits[1] >= '8':
		return 2
	}
	return 3
}

// DenseBytes returns the length of the body's text in bytes of UTF-8, without the bytes that some
// provider may count as few tokens or none: base64, and all but the first few characters of a run
// of the same character, such as blanks. It is meant for limits that must not refuse a request
// because of an estimate. It looks at every byte.
func DenseBytes(body []byte) (n int) {
	for i := 0; i < len(body); {
		if body[i] != '"' {
			i++
			continue
		}
		end := rawjson.SkipString(body, i)
		if text := body[i+1 : end-1]; len(text) <= blobSize || !isBlob(text) {
			n += denseBytes(rawjson.Unquote(nil, body[i:end]))
		}
		i = end
	}
	return n
}

// denseRun is how many bytes of a run count. Vocabularies have tokens of up to some eighty blanks,
// or as many dashes and the like.
const denseRun = 8

func denseBytes(text []byte) (n int) {
	run := 0
	for i := range text {
		if i > 0 && text[i] == text[i-1] || rawjson.IsSpace(text[i]) && i > 0 && rawjson.IsSpace(text[i-1]) {
			run++
		} else {
			run = 0
		}
		if run < denseRun {
			n++
		}
	}
	return n
}

// tokenCounter adds up sixths of tokens.
type tokenCounter struct{ sixths int }

func (c *tokenCounter) add(text []byte) {
	n := 0
	for i := 0; i < len(text); {
		if text[i] == '\\' {
			weight, size := escapeWeight(text[i:])
			n += weight
			i += size
			continue
		}
		kind := charKinds[text[i]]
		start := i
		for i++; i < len(text) && charKinds[text[i]] == kind; i++ {
		}
		run := i - start
		switch kind {
		case letter:
			// Most words of up to eight letters are one token. Longer words take one more for every six more
			// letters.
			n += 6 + max(0, run-8)
		case digit:
			n += 6 * ((run + 2) / 3)
		case space:
			// The space before a word belongs to it.
			if run > 1 {
				n += 4
			}
		case mark:
			n += 4 * run
		case leading:
			switch {
			case text[start] >= 0xf0:
				n += 12 * run
			case text[start] >= 0xe3:
				n += 5 * run // Chinese, Japanese, Korean
			default:
				n += 3 * run
			}
		}
	}
	c.sixths += n
}
