// Package mend makes JSON of answers that are none as they came, and one answer of the events of a
// stream that nobody asked for.
package mend

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"

	"llmpipe/stream/record/rawjson"
)

// Answer makes one JSON object of the body of an answer that is none as it came, where there is no
// doubt what it says: UTF-16, a byte order mark before it, something behind it, an array or a
// string around it, the events of a stream that nobody asked for, numbers that JSON has no word
// for, and line breaks within strings. It is paid for, and to ask again would bring the same. ok is
// false where that cannot be: what is cut short stays so.
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

// fromUTF16 returns text in UTF-8 where its byte order mark says that it is UTF-16.
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

// inner returns the object that a value is, or that is alone in it: in an array, or written down in
// a string.
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

// mendValue mends what begins with a JSON object, or as one.
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

// spellOut returns src with null for the numbers that JSON has no word for, as Python and C write
// them, and with escapes for the control characters within strings.
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

// notFinite returns the length of the word for a number that is not finite that text begins with, 0
// where it begins with none.
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
