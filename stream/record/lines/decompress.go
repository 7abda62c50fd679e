package lines

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"llmpipe/stream/record/rawjson"
)

// The first bytes of a gzip and of a zstd stream.
const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd" // RFC 8878, section 3.1.1
)

// skippable follows the first byte (0x50 to 0x5f) of a zstd frame that holds no data (RFC 8878,
// section 3.1.2). pzstd begins its output with such a frame.
const skippable = "\x2a\x4d\x18"

// Open returns a buffered reader of what src holds, decompressed, without a byte order mark. A
// stream may have several gzip members or zstd frames.
func Open(src io.Reader) (*bufio.Reader, error) { return open(src) }

// OpenContent is [Open] for HTTP content, in which the zstd window is at most 8 MB (RFC 9659). A
// decoder for files would allocate half a gigabyte if a few bytes of a header asked for it.
func OpenContent(src io.Reader) (*bufio.Reader, error) {
	return open(src, zstd.WithDecoderMaxWindow(8<<20))
}

func open(src io.Reader, options ...zstd.DOption) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(&sticky{src: src}, readSize)
	out := in
	switch {
	case startsWith(in, gzipMagic):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		out = bufio.NewReaderSize(z, readSize)
	case startsWith(in, zstdMagic), startsWithSkippable(in):
		// A decoder with one goroutine and small buffers takes some 3 MiB instead of 9.
		options = append(options, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		z, err := zstd.NewReader(in, options...)
		if err != nil {
			return nil, err
		}
		out = bufio.NewReaderSize(z, readSize)
	}
	if startsWith(out, rawjson.BOM) {
		if _, err := out.Discard(len(rawjson.BOM)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sticky repeats the error that ended its source; a bufio.Reader forgets it after a Peek.
type sticky struct {
	src io.Reader
	err error
}

func (s *sticky) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.src.Read(p)
	s.err = err
	return n, err
}

// startsWith reports whether the bytes that in will return next start with magic. It waits for
// another byte only while the bytes before it match, so that a short first line is not held up.
func startsWith(in *bufio.Reader, magic string) bool {
	for n := 1; n <= len(magic); n++ {
		head, err := in.Peek(n)
		if err != nil || head[n-1] != magic[n-1] {
			return false // a read error comes again when the line is read
		}
	}
	return true
}

func startsWithSkippable(in *bufio.Reader) bool {
	head, err := in.Peek(1)
	if err != nil || head[0]&0xf0 != 0x50 {
		return false
	}
	return startsWith(in, string(head[0])+skippable)
}
