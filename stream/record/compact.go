package record

import "bytes"

// Compact appends a JSON body without the white space between its tokens, which stay as they are. Of what is not JSON it
// removes white space in the same way, outside of quotes.
func Compact(dst, body []byte) []byte {
	for len(body) > 0 {
		quote := bytes.IndexByte(body, '"')
		if quote < 0 {
			return appendDense(dst, body)
		}
		dst = appendDense(dst, body[:quote])
		end := skipString(body, quote)
		dst = append(dst, body[quote:end]...)
		body = body[end:]
	}
	return dst
}

// appendDense appends what stands between two strings, without white space.
func appendDense(dst, src []byte) []byte {
	for len(src) > 0 {
		n := 0
		for n < len(src) && !isSpace(src[n]) {
			n++
		}
		dst = append(dst, src[:n]...)
		src = src[skipSpace(src, n):]
	}
	return dst
}
