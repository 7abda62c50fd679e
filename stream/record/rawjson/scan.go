package rawjson

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// IsSpace reports whether c is white space between tokens.
func IsSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// SkipSpace returns the position of the first byte from i on that is not white space, or len(src).
func SkipSpace(src []byte, i int) int {
	for i < len(src) && IsSpace(src[i]) {
		i++
	}
	return i
}

// TrimSpace returns src without the white space around it.
func TrimSpace(src []byte) []byte {
	end := len(src)
	for end > 0 && IsSpace(src[end-1]) {
		end--
	}
	return src[SkipSpace(src[:end], 0):end]
}

// SkipString returns the position after the string that begins at i.
func SkipString(src []byte, i int) int {
	end, _ := ScanString(src, i)
	return end
}

// ScanString is [SkipString], and also reports whether the string may hold an escape.
func ScanString(src []byte, i int) (end int, escaped bool) {
	// Most strings are names, and short. Going eight bytes at a time passes them before a call of
	// bytes.IndexByte would have begun.
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
		// An even number of backslashes before it leaves the quote unescaped.
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

// each has the value 1 in each of its eight bytes, and highest has the highest bit.
const (
	each    = 0x0101010101010101
	highest = 0x8080808080808080
)

// zeros finds the lowest zero byte of eight: its highest bit is the lowest bit set in the result.
// The bits above that mean nothing. The result is 0 if no byte is zero.
func zeros(eight uint64) uint64 { return (eight - each) &^ eight & highest }

// SkipValue returns the position after the value that begins at i.
func SkipValue(src []byte, i int) int {
	depth := 0
	for i < len(src) {
		switch src[i] {
		case '"':
			i = SkipString(src, i)
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
			for i++; i < len(src) && IsLiteral(src[i]); {
				i++
			}
		}
		if depth <= 0 {
			return i
		}
	}
	return len(src)
}

// IsLiteral reports whether c can stand in a number, true, false or null, after the first byte.
func IsLiteral(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || c == '.' || c == '-' || c == '+' || c == 'E'
}
