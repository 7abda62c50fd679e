package rawjson

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// BOM is the byte order mark in UTF-8, with which some editors begin a file.
const BOM = "\xef\xbb\xbf"

// Says reports whether a string, such as a key, says name.
func Says(token []byte, name string) bool {
	inner := token[1 : len(token)-1]
	switch {
	case len(inner) < len(name): // an escape is longer than what it stands for
		return false
	case len(inner) == len(name):
		return string(inner) == name && bytes.IndexByte(inner, '\\') < 0
	case bytes.IndexByte(inner, '\\') < 0:
		return false
	}
	return string(Unquote(nil, token)) == name
}

// Unquote appends what a string says. Escapes that are half a surrogate pair become U+FFFD; other
// bytes stay as they are.
func Unquote(dst, token []byte) []byte {
	if len(token) < 2 {
		return dst
	}
	if inner := token[1 : len(token)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return append(dst, inner...)
	}
	dst, _ = jsontext.AppendUnquote(dst, token) // the string is valid; only its UTF-8 may be wrong
	return dst
}

// NameOf returns what a string says, without a copy unless the string has an escape.
func NameOf(token []byte) []byte {
	if bytes.IndexByte(token, '\\') < 0 {
		return token[1 : len(token)-1]
	}
	return Unquote(nil, token)
}

// AppendQuoted appends text as a string. Bytes that are not UTF-8 become U+FFFD.
func AppendQuoted[T ~string | ~[]byte](dst []byte, text T) []byte {
	dst, _ = jsontext.AppendQuote(dst, text)
	return dst
}

// IsNull reports whether a value is absent or null.
func IsNull(value []byte) bool { return len(value) == 0 || value[0] == 'n' }

// IsString reports whether a value is a string.
func IsString(value []byte) bool { return len(value) > 0 && value[0] == '"' }

// IsNumber reports whether a value is a number.
func IsNumber(value []byte) bool {
	return len(value) > 0 && (value[0] == '-' || IsDigit(value[0]))
}

// IsDigit reports whether c is a decimal digit.
func IsDigit(c byte) bool { return '0' <= c && c <= '9' }

// KindOf names the kind of a value for a message.
func KindOf(value []byte) string {
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

// WholeNumber returns the number in a value of nothing but digits, at most 15 of them. Nearly all
// counts are of this form.
func WholeNumber(value []byte) (n int64, ok bool) {
	const most = 15 // so many digits never overflow
	if len(value) == 0 || len(value) > most {
		return 0, false
	}
	for _, c := range value {
		if !IsDigit(c) {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}
