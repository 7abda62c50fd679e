package rawjson

import (
	"bytes"
	"encoding/binary"
)

// maxDepth is how deep JSON may nest: as deep as jsontext allows.
const maxDepth = 10_000

// Valid reports whether src is one JSON value. Strings of invalid UTF-8 and names that come twice
// pass: it is up to the provider to refuse them.
func Valid(src []byte) bool {
	end := checkValue(src, SkipSpace(src, 0), 0)
	return end >= 0 && SkipSpace(src, end) == len(src)
}

// ValidValue returns the position after the value that begins at i, whatever follows it; -1 if no
// valid value begins there.
func ValidValue(src []byte, i int) int { return checkValue(src, i, 0) }

// ValidMembers is [Valid], and also appends the members of an object.
func ValidMembers(dst []Member, src []byte) (members []Member, valid bool) {
	i := SkipSpace(src, 0)
	if i == len(src) || src[i] != '{' {
		return dst, Valid(src)
	}
	for i = SkipSpace(src, i+1); i < len(src) && src[i] != '}'; {
		m, next := checkMember(src, i, 1)
		if next < 0 {
			return dst, false
		}
		dst = append(dst, newMember(src, m.Key, m.Value))
		i = next
	}
	return dst, i < len(src) && SkipSpace(src, i+1) == len(src)
}

// checkValue returns the position after the value that begins at i; -1 if no valid value begins
// there. depth is how many arrays and objects the value is inside.
func checkValue(src []byte, i, depth int) int {
	if i >= len(src) {
		return -1
	}
	switch src[i] {
	case '"':
		return checkString(src, i)
	case '{':
		return checkObject(src, i, depth+1)
	case '[':
		return checkArray(src, i, depth+1)
	case 't':
		return checkWord(src, i, "true")
	case 'f':
		return checkWord(src, i, "false")
	case 'n':
		return checkWord(src, i, "null")
	}
	return checkNumber(src, i)
}

func checkObject(src []byte, i, depth int) int {
	if depth > maxDepth {
		return -1
	}
	for i = SkipSpace(src, i+1); i < len(src) && src[i] != '}'; {
		if _, i = checkMember(src, i, depth); i < 0 {
			return -1
		}
	}
	if i >= len(src) {
		return -1
	}
	return i + 1
}

// checkMember returns the member that begins at i, and the position of the next member or of the
// closing brace; -1 if the member is not valid.
func checkMember(src []byte, i, depth int) (m Member, next int) {
	if src[i] != '"' {
		return m, -1
	}
	if m.Key = (Span{i, checkString(src, i)}); m.Key.End < 0 {
		return m, -1
	}
	if i = SkipSpace(src, m.Key.End); i >= len(src) || src[i] != ':' {
		return m, -1
	}
	i = SkipSpace(src, i+1)
	if m.Value = (Span{i, checkValue(src, i, depth)}); m.Value.End < 0 {
		return m, -1
	}
	if i = SkipSpace(src, m.Value.End); i >= len(src) {
		return m, -1
	}
	switch src[i] {
	case '}':
		return m, i
	case ',':
		if i = SkipSpace(src, i+1); i < len(src) && src[i] == '"' {
			return m, i
		}
	}
	return m, -1
}

func checkArray(src []byte, i, depth int) int {
	if depth > maxDepth {
		return -1
	}
	if i = SkipSpace(src, i+1); i < len(src) && src[i] == ']' {
		return i + 1
	}
	for {
		if i = checkValue(src, i, depth); i < 0 {
			return -1
		}
		if i = SkipSpace(src, i); i >= len(src) {
			return -1
		}
		switch src[i] {
		case ']':
			return i + 1
		case ',':
			i = SkipSpace(src, i+1)
		default:
			return -1
		}
	}
}

func checkString(src []byte, i int) int {
	i++
	for {
		quote := bytes.IndexByte(src[i:], '"')
		if quote < 0 {
			return -1
		}
		for end := i + quote; i <= end; {
			plain := bytes.IndexByte(src[i:end], '\\')
			if plain < 0 {
				if hasControl(src[i:end]) {
					return -1
				}
				return end + 1
			}
			if hasControl(src[i : i+plain]) {
				return -1
			}
			if i = checkEscape(src, i+plain+1); i < 0 {
				return -1
			}
		}
		// The last escape was that of the quote.
	}
}

// hasControl reports whether there is a control character in text. It looks at eight bytes at a
// time: subtracting 0x20 from a byte sets a highest bit that was clear if the byte is below 0x20.
// It also does if the byte is 0x20 and a lower byte borrows, but then one of the lower bytes is a
// control character.
func hasControl(text []byte) bool {
	var found uint64
	for len(text) >= 8 {
		eight := binary.LittleEndian.Uint64(text)
		found |= (eight - each*' ') &^ eight
		text = text[8:]
	}
	for _, c := range text {
		if c < ' ' {
			return true
		}
	}
	return found&highest != 0
}

// checkEscape returns the position after an escape, given the position after its backslash; -1 if
// the escape is not valid.
func checkEscape(src []byte, i int) int {
	if i >= len(src) {
		return -1
	}
	switch src[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		const digits = 4
		if i += 1 + digits; i > len(src) {
			return -1
		}
		for _, c := range src[i-digits : i] {
			if !IsDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return -1
			}
		}
		return i
	}
	return -1
}

func checkWord(src []byte, i int, word string) int {
	if end := i + len(word); end <= len(src) && string(src[i:end]) == word {
		return end
	}
	return -1
}

func checkNumber(src []byte, i int) int {
	if src[i] == '-' {
		i++
	}
	if i < len(src) && src[i] == '0' {
		i++
	} else if i = checkDigits(src, i); i < 0 {
		return -1
	}
	if i < len(src) && src[i] == '.' {
		if i = checkDigits(src, i+1); i < 0 {
			return -1
		}
	}
	if i < len(src) && src[i]|0x20 == 'e' {
		if i++; i < len(src) && (src[i] == '+' || src[i] == '-') {
			i++
		}
		return checkDigits(src, i)
	}
	return i
}

// checkDigits returns the position after the digits that begin at i; -1 if there are none.
func checkDigits(src []byte, i int) int {
	start := i
	for i < len(src) && IsDigit(src[i]) {
		i++
	}
	if i == start {
		return -1
	}
	return i
}
