package provider

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strings"

	"llmpipe/stream/record/lines"
)

// mayBePacked tells whether a body is to be looked at for being compressed: by its first byte, which is that of gzip, zstd or zlib and of
// no JSON, or by a header that says so.
func mayBePacked(body []byte, h http.Header) bool {
	return len(body) > 0 && (bytes.IndexByte([]byte("\x1f\x28\x78"), body[0]) >= 0 || len(h["Content-Encoding"]) > 0)
}

// unpacked returns what body holds, decompressed where it is compressed. Gateways compress what nobody asked for, and say in the header
// that a body is compressed which another has decompressed on the way: the bytes tell.
func unpacked(body []byte, h http.Header) ([]byte, error) {
	r, err := unpacking(body)
	if err == nil {
		var plain []byte
		if plain, err = readBounded(nil, r, -1); err == nil {
			body = plain
		}
	}
	if err != nil {
		return body, fmt.Errorf("decompressing the answer: %w", err)
	}
	if coding := h.Get("Content-Encoding"); strings.Contains(coding, "br") && !looksPlain(body) {
		return body, fmt.Errorf("the answer is compressed with %s, which nobody asked for", coding)
	}
	return body, nil
}

// unpacking returns a reader of what body holds.
func unpacking(body []byte) (io.Reader, error) {
	const zlibMagic, checks = 0x78, 31 // the first two bytes are a multiple of 31: RFC 1950, section 2.2
	if len(body) > 1 && body[0] == zlibMagic && (int(body[0])<<8|int(body[1]))%checks == 0 {
		return zlib.NewReader(bytes.NewReader(body))
	}
	return lines.Open(bytes.NewReader(body))
}

// looksPlain tells whether a body begins as text does.
func looksPlain(body []byte) bool {
	body = bytes.TrimSpace(body)
	return len(body) == 0 || body[0] >= ' ' && body[0] < 0x7f
}

// unpackedBody is a response's body, decompressed where it is compressed although nobody asked for that.
type unpackedBody struct {
	io.Reader
	io.Closer
}

// unpackBody makes res's body one that is not compressed, and has no byte order mark.
func unpackBody(res *http.Response) error {
	plain, err := lines.Open(res.Body)
	if err != nil {
		return fmt.Errorf("decompressing the answer: %w", err)
	}
	res.Body, res.ContentLength = &unpackedBody{plain, res.Body}, -1
	return nil
}
