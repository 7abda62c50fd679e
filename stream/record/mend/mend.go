// Package mend repairs answers that came as something other than one JSON object. It also joins the
// events of a stream into one answer, if a server streams although it was not asked to.
package mend

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"

	"llmpipe/stream/record/rawjson"
)

// Answer makes one JSON object from the body of an answer that is not one, if there is no doubt
// about what it says. It mends UTF-16, a byte order mark before the object, something after it, an
// array or a string around it, the events of a stream, numbers that JSON cannot write, and line
// breaks within strings. Such an answer is paid for, and asking again would bring the same. ok is
// false if the body cannot be mended: an answer that is cut short stays so.
func Answer(body []byte) (mended []byte, ok bool) {
	src := rawjson.TrimSpace(bytes.TrimPrefix(rawjson.TrimSpace(fromUTF16(body)), []byte(rawjson.BOM)))
	switch {
	case rawjson.Valid(src):
		return inner(src)
	case isEvents(src):
		return joinEvents(src)
	}
	return mendValue(src)
}

// fromUTF16 converts text to UTF-8 if its byte order mark says that it is UTF-16. Other text stays
// as it is.
func fromUTF16(text []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(text, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return text
	}
	units := make([]uint16, 0, len(text)/2)
	for i := 2; i+1 < len(text); i += 2 {
		units = append(units, order.Uint16(text[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

// inner returns the object that a value is, or the one object that it holds: in an array, or as
// JSON in a string.
func inner(src []byte) (object []byte, ok bool) {
	switch src[0] {
	case '{':
		return src, true
	case '[':
		object = rawjson.First(src)
		end := len(src) - 1 - len(bytes.TrimLeft(src[1:], " \t\r\n")) + len(object)
		return object, len(object) > 0 && object[0] == '{' && string(rawjson.TrimSpace(src[end+1:])) == "]"
	case '"':
		object = rawjson.TrimSpace(rawjson.Unquote(nil, src))
		return object, len(object) > 0 && object[0] == '{' && rawjson.Valid(object)
	}
	return nil, false
}

// mendValue mends a text that begins with a JSON object, or with something close to one.
func mendValue(src []byte) (mended []byte, ok bool) {
	if len(src) == 0 || src[0] != '{' {
		return nil, false
	}
	end := rawjson.ValidValue(src, 0)
	if end < 0 {
		src = spellOut(src)
		end = rawjson.ValidValue(src, 0)
	}
	switch {
	case end < 0:
		return nil, false
	case isChunk(src[:end]):
		return joinChunks(src)
	}
	return src[:end], true
}

// spellOut returns src with null in place of the numbers that are not finite, which JSON cannot
// write but Python and C do, and with escapes in place of the control characters within strings.
func spellOut(src []byte) []byte {
	dst := make([]byte, 0, len(src)+64)
	for i := 0; i < len(src); {
		if src[i] == '"' {
			end := rawjson.SkipString(src, i)
			dst = escapeControls(dst, src[i:end])
			i = end
			continue
		}
		if n := notFinite(src[i:]); n > 0 {
			dst = append(dst, "null"...)
			i += n
			continue
		}
		dst = append(dst, src[i])
		i++
	}
	return dst
}

// notFinite returns the length of the word at the start of text that stands for a number that is
// not finite; 0 if there is none.
func notFinite(text []byte) int {
	for _, word := range [...]string{"NaN", "Infinity", "-Infinity", "nan", "-nan", "inf", "-inf"} {
		if bytes.HasPrefix(text, []byte(word)) && (len(text) == len(word) || !rawjson.IsLiteral(text[len(word)])) {
			return len(word)
		}
	}
	return 0
}

func escapeControls(dst, token []byte) []byte {
	const hex = "0123456789abcdef"
	for _, c := range token {
		if c < ' ' {
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}
