package record

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/go-json-experiment/json/jsontext"
)

// What this package reads it checks once (valid.go), and then walks over: the functions here take JSON that is known to
// be valid, so that they need neither errors nor a stack. On anything else they give nonsense, but neither panic nor loop.

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// skipSpace returns the position of the first byte from i on that is no white space, or len(src).
func skipSpace(src []byte, i int) int {
	for i < len(src) && isSpace(src[i]) {
		i++
	}
	return i
}

// trimSpace returns src without the white space around it.
func trimSpace(src []byte) []byte {
	end := len(src)
	for end > 0 && isSpace(src[end-1]) {
		end--
	}
	return src[skipSpace(src[:end], 0):end]
}

// skipString returns the position after the string that begins at i.
func skipString(src []byte, i int) int {
	end, _ := scanString(src, i)
	return end
}

// scanString is skipString, and says whether there may be an escape in the string.
func scanString(src []byte, i int) (end int, escaped bool) {
	// Most are names, and as short: eight bytes at a time they are passed before a call of bytes.IndexByte would have begun.
	const short = 24
	i++
	for most := i + short; i < most && i+8 <= len(src); i += 8 {
		eight := binary.LittleEndian.Uint64(src[i:])
		quote, escape := zeros(eight^each*'"'), zeros(eight^each*'\\')
		if quote|escape == 0 {
			continue
		}
		if at := bits.TrailingZeros64(quote); at < bits.TrailingZeros64(escape) {
			return i + at/8 + 1, false
		}
		break
	}
	for i < len(src) {
		quote := bytes.IndexByte(src[i:], '"')
		if quote < 0 {
			break
		}
		// Whether the quote ends the string depends on how many backslashes stand before it.
		end := i + quote
		first := end
		for first > i && src[first-1] == '\\' {
			first--
		}
		i = end + 1
		if (end-first)%2 == 0 {
			return i, true
		}
	}
	return len(src), true
}

// each is 1 in each of eight bytes, and highest the highest bit.
const (
	each    = 0x0101010101010101
	highest = 0x8080808080808080
)

// zeros sets the highest bit of the first byte, counted from the lowest, that is zero. Of those after it nothing is known.
func zeros(eight uint64) uint64 { return (eight - each) &^ eight & highest }

// skipValue returns the position after the value that begins at i.
func skipValue(src []byte, i int) int {
	depth := 0
	for i < len(src) {
		switch src[i] {
		case '"':
			i = skipString(src, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ' ', '\t', '\n', '\r', ',', ':':
			i++
			continue // no value ends here
		default:
			for i++; i < len(src) && isLiteral(src[i]); {
				i++
			}
		}
		if depth <= 0 {
			return i
		}
	}
	return len(src)
}

// isLiteral says whether c can stand in a number, true, false or null, after the first byte.
func isLiteral(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || c == '.' || c == '-' || c == '+' || c == 'E'
}

// elements calls yield with every element of an array, until it returns false.
func elements(array []byte, yield func(value []byte) bool) {
	if len(array) == 0 || array[0] != '[' {
		return
	}
	for i := skipSpace(array, 1); i < len(array) && array[i] != ']'; {
		end := skipValue(array, i)
		if !yield(array[i:end]) {
			return
		}
		i = nextElement(array, end)
	}
}

// nextElement returns the position of the element after the one that ends at i, or of the end of the array.
func nextElement(array []byte, i int) int {
	if i = skipSpace(array, i); i < len(array) && array[i] == ',' {
		return skipSpace(array, i+1)
	}
	return i
}

// firstOf returns the first element of an array, nil when there is none.
func firstOf(array []byte) []byte {
	var first []byte
	elements(array, func(value []byte) bool {
		first = value
		return false
	})
	return first
}

// span is a stretch of bytes: src[start:end].
type span struct{ start, end int }

func (s span) of(src []byte) []byte { return src[s.start:s.end] }

// member is a name and its value in an object.
type member struct {
	key, value span
	literal    bool // the key holds no escape
	cut        bool // not to be found any more, and left out of the body
}

func newMember(src []byte, key, value span) member {
	return member{key: key, value: value, literal: bytes.IndexByte(key.of(src), '\\') < 0}
}

// name returns what the key says, without a copy where it can.
func (m *member) name(src []byte) []byte {
	if m.literal {
		return src[m.key.start+1 : m.key.end-1]
	}
	return unquote(nil, m.key.of(src))
}

// is says whether the key stands for name.
func (m *member) is(src []byte, name string) bool {
	if m.literal {
		return string(src[m.key.start+1:m.key.end-1]) == name
	}
	return saysExactly(m.key.of(src), name)
}

// appendMembers appends the members of the object that begins at i.
func appendMembers(dst []member, src []byte, i int) []member {
	if i >= len(src) || src[i] != '{' {
		return dst
	}
	for i = skipSpace(src, i+1); i < len(src) && src[i] == '"'; {
		key := span{i, skipString(src, i)}
		i = skipSpace(src, key.end)
		if i < len(src) && src[i] == ':' {
			i = skipSpace(src, i+1)
		}
		value := span{i, skipValue(src, i)}
		dst = append(dst, newMember(src, key, value))
		i = skipSpace(src, value.end)
		if i < len(src) && src[i] == ',' {
			i = skipSpace(src, i+1)
		}
	}
	return dst
}

// lookup returns the position of the last member called name that is not cut, or -1: of names that come twice the last counts.
func lookup(members []member, src []byte, name string) int {
	for i := len(members) - 1; i >= 0; i-- {
		if m := &members[i]; !m.cut && m.is(src, name) {
			return i
		}
	}
	return -1
}

// valueOf returns the value of the last member called name, nil when there is none.
func valueOf(members []member, src []byte, name string) []byte {
	if i := lookup(members, src, name); i >= 0 {
		return members[i].value.of(src)
	}
	return nil
}

// saysExactly says whether a JSON string, such as a key, stands for name.
func saysExactly(token []byte, name string) bool {
	inner := token[1 : len(token)-1]
	switch {
	case len(inner) < len(name): // an escape is longer than what it stands for
		return false
	case len(inner) == len(name):
		return string(inner) == name && bytes.IndexByte(inner, '\\') < 0
	case bytes.IndexByte(inner, '\\') < 0:
		return false
	}
	return string(unquote(nil, token)) == name
}

// unquote appends what a JSON string says. Escapes that are half a surrogate pair become U+FFFD; other bytes stay as they are.
func unquote(dst, token []byte) []byte {
	if len(token) < 2 {
		return dst
	}
	if inner := token[1 : len(token)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return append(dst, inner...)
	}
	dst, _ = jsontext.AppendUnquote(dst, token) // the string is valid; all that may be amiss is its UTF-8
	return dst
}

// nameOf returns what a JSON string says, without a copy where it can.
func nameOf(token []byte) []byte {
	if bytes.IndexByte(token, '\\') < 0 {
		return token[1 : len(token)-1]
	}
	return unquote(nil, token)
}

// appendQuoted appends text as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendQuoted[T ~string | ~[]byte](dst []byte, text T) []byte {
	dst, _ = jsontext.AppendQuote(dst, text)
	return dst
}

// isNull says whether a value is absent or null.
func isNull(value []byte) bool { return len(value) == 0 || value[0] == 'n' }

// isString says whether a value is a string.
func isString(value []byte) bool { return len(value) > 0 && value[0] == '"' }

// isNumber says whether a value is a number.
func isNumber(value []byte) bool {
	return len(value) > 0 && (value[0] == '-' || '0' <= value[0] && value[0] <= '9')
}

// kindOf names the kind of a value for a message.
func kindOf(value []byte) string {
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
