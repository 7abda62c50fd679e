package record

// EstimateTokens guesses how many prompt tokens a request body is, from the kinds of characters in its strings: keys and what is not a
// string cost nothing, an image counts as imageTokens. Each message costs a few tokens more, which are in the guess.
//
// It is meant for many bodies together, before any answer has said how many there are: a tokenizer is a thousand times slower and
// right for one family of models only.
func EstimateTokens(body []byte) int {
	var c tokenCounter
	for i := 0; i < len(body); {
		if body[i] != '"' {
			i++
			continue
		}
		end := skipString(body, i)
		text := body[i+1 : end-1]
		if next := skipSpace(body, end); next < len(body) && body[next] == ':' {
			i = next
			continue
		}
		i = end
		switch {
		case len(text) > blobSize && isBlob(text):
			c.sixths += 6 * imageTokens
		default:
			c.add(text)
		}
	}
	return (c.sixths + 5) / 6
}

// imageTokens is what a picture of about a megapixel is billed as.
const imageTokens = imageBytes / 3

// A character's kind decides what it adds, in sixths of a token. The weights are fitted to the o200k and cl100k vocabularies on prose, code
// and JSON in several languages.
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

// escaped is what an escape adds, most often a line break.
const escaped = 2

// tokenCounter adds up sixths of tokens.
type tokenCounter struct{ sixths int }

func (c *tokenCounter) add(text []byte) {
	n := 0
	for i := 0; i < len(text); {
		if text[i] == '\\' {
			n += escaped
			i += 2
			continue
		}
		kind := charKinds[text[i]]
		start := i
		for i++; i < len(text) && charKinds[text[i]] == kind; i++ {
		}
		run := i - start
		switch kind {
		case letter:
			// Most words of up to eight letters are one token, longer ones one for every six letters more.
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
