package record

import (
	"bytes"
	"encoding/binary"
)

// Every line and every answer is checked to be JSON before anything is made of it, which is most of the reading. jsontext does it at half
// the speed, so it only says what is wrong with what fails here. The tests hold the two to the same verdict.

// maxDepth is how deep JSON may nest: as deep as jsontext takes it.
const maxDepth = 10_000

// isValid says whether src is one JSON value. Strings of doubtful UTF-8 and names that come twice are the provider's to refuse, and pass.
func isValid(src []byte) bool {
	end := checkValue(src, skipSpace(src, 0), 0)
	return end >= 0 && skipSpace(src, end) == len(src)
}

// checkMembers is isValid, and where src is an object it appends its members on the way.
func checkMembers(dst []member, src []byte) (members []member, valid bool) {
	i := skipSpace(src, 0)
	if i == len(src) || src[i] != '{' {
		return dst, isValid(src)
	}
	for i = skipSpace(src, i+1); i < len(src) && src[i] != '}'; {
		m, next := checkMember(src, i, 1)
		if next < 0 {
			return dst, false
		}
		dst = append(dst, newMember(src, m.key, m.value))
		i = next
	}
	return dst, i < len(src) && skipSpace(src, i+1) == len(src)
}

// checkValue returns the position after the value that begins at i, which is inside of so many others, or -1 if there is none.
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
	for i = skipSpace(src, i+1); i < len(src) && src[i] != '}'; {
		if _, i = checkMember(src, i, depth); i < 0 {
			return -1
		}
	}
	if i >= len(src) {
		return -1
	}
	return i + 1
}

// checkMember returns the member that begins at i, and where the next one does or the object ends; or -1 if there is none.
func checkMember(src []byte, i, depth int) (m member, next int) {
	if src[i] != '"' {
		return m, -1
	}
	if m.key = (span{i, checkString(src, i)}); m.key.end < 0 {
		return m, -1
	}
	if i = skipSpace(src, m.key.end); i >= len(src) || src[i] != ':' {
		return m, -1
	}
	i = skipSpace(src, i+1)
	if m.value = (span{i, checkValue(src, i, depth)}); m.value.end < 0 {
		return m, -1
	}
	if i = skipSpace(src, m.value.end); i >= len(src) {
		return m, -1
	}
	switch src[i] {
	case '}':
		return m, i
	case ',':
		if i = skipSpace(src, i+1); i < len(src) && src[i] == '"' {
			return m, i
		}
	}
	return m, -1
}

func checkArray(src []byte, i, depth int) int {
	if depth > maxDepth {
		return -1
	}
	if i = skipSpace(src, i+1); i < len(src) && src[i] == ']' {
		return i + 1
	}
	for {
		if i = checkValue(src, i, depth); i < 0 {
			return -1
		}
		if i = skipSpace(src, i); i >= len(src) {
			return -1
		}
		switch src[i] {
		case ']':
			return i + 1
		case ',':
			i = skipSpace(src, i+1)
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
		// What was escaped last is the quote.
	}
}

// hasControl says whether there is a control character in text, eight bytes at a time: to take 0x20 from a byte sets its highest bit anew
// if it is below that, or if it is 0x20 and one below it in the same eight has borrowed, which then is a control character.
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

// checkEscape returns the position after what follows a backslash, or -1 if nothing may be escaped like that.
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
			if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
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

// checkDigits returns the position after the digits that begin at i, or -1 if there is none.
func checkDigits(src []byte, i int) int {
	start := i
	for i < len(src) && isDigit(src[i]) {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
