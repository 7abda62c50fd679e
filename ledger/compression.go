package ledger

import (
	"bufio"
	"bytes"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"llmpipe/ledger/line"
)

// compression names the compression that the first bytes of a file show; "" if none.
func compression(start []byte) string {
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	}
	return ""
}

// decompress returns what a file holds, compressed or not.
func decompress(src io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(src, line.ReadSize)
	// An empty or very short file is not compressed. Reading it shows what is wrong with it.
	start, _ := buffered.Peek(4)
	switch compression(start) {
	case "gzip":
		return gzip.NewReader(buffered)
	case "zstd":
		decoder, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		return decoder.IOReadCloser(), nil
	}
	return io.NopCloser(buffered), nil
}
