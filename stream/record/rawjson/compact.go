package rawjson

import "bytes"

// Compact appends JSON without the white space between its tokens. The tokens stay as they are. If
// body is not JSON, Compact leaves out the white space outside of quotes.
func Compact(dst, body []byte) []byte {
	for len(body) > 0 {
		quote := bytes.IndexByte(body, '"')
		if quote < 0 {
			return appendDense(dst, body)
		}
		dst = appendDense(dst, body[:quote])
		end := SkipString(body, quote)
		dst = append(dst, body[quote:end]...)
		body = body[end:]
	}
	return dst
}

// appendDense appends the text between two strings, without white space.
func appendDense(dst, src []byte) []byte {
	for len(src) > 0 {
		n := 0
		for n < len(src) && !IsSpace(src[n]) {
			n++
		}
		dst = append(dst, src[:n]...)
		src = src[SkipSpace(src, n):]
	}
	return dst
}
