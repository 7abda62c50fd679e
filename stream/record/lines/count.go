package lines

import (
	"bufio"
	"errors"
	"io"

	"llmpipe/stream/record/rawjson"
)

// Count counts the lines of a stream that a [Reader] would return. It reads at most most bytes,
// decompressed. ok is false if the stream is longer or breaks.
func Count(src io.Reader, most int64) (n int64, ok bool) {
	in, err := Open(src)
	filled := false // the line has more than white space
	for err == nil {
		var part []byte
		part, err = in.ReadSlice('\n')
		if most -= int64(len(part)); most < 0 {
			return 0, false
		}
		filled = filled || rawjson.SkipSpace(part, 0) < len(part)
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil
			continue
		}
		if filled {
			n++
		}
		filled = false
	}
	return n, errors.Is(err, io.EOF)
}
