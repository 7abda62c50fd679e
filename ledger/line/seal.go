package line

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
)

// Every line begins and ends like this; the comment of package ledger describes what is between.
const (
	lineStart = `{"kind":"`
	sumStart  = `,"crc":"`
	sumEnd    = `"}`

	// SumLen is the length of the checksum that ends a line, without the newline.
	SumLen = len(sumStart) + 8 + len(sumEnd)

	// MaxLen is the most bytes a line may have. No answer needs that many: a body has at most 64 MiB.
	// Without a limit, a file without newlines would be read into memory whole.
	MaxLen = 256 << 20

	// FormatVersion is the format that run lines name, and the highest that can be read.
	FormatVersion = 1

	// TimeLayout is the layout of times, in UTC: always 24 bytes, and in sorting order.
	TimeLayout = "2006-01-02T15:04:05.000Z"
)

// What can be wrong with a line.
var (
	ErrChecksum  = errors.New("checksum mismatch")
	ErrNoSum     = errors.New("line does not end in a checksum")
	ErrMalformed = errors.New("malformed line")
	ErrTooLong   = fmt.Errorf("line is longer than %d MiB", MaxLen>>20)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Seal ends the line of dst that begins at from, with the checksum and the newline.
func Seal(dst []byte, from int) []byte {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(dst[from:], castagnoli))
	dst = append(dst, sumStart...)
	dst = hex.AppendEncode(dst, sum[:])
	return append(dst, sumEnd+"\n"...)
}

// Verify says what is wrong with a line as a whole; nil if nothing is. The line comes without its
// newline.
func Verify(line []byte) error {
	body := len(line) - SumLen
	if body < len(lineStart) || !endsInSum(line) {
		return ErrNoSum
	}
	sum, ok := parseHex(line[body+len(sumStart) : len(line)-len(sumEnd)])
	if !ok || uint32(sum) != crc32.Checksum(line[:body], castagnoli) {
		return ErrChecksum
	}
	if string(line[:len(lineStart)]) != lineStart {
		return ErrMalformed
	}
	return nil
}

// Blank reports whether a line is empty or white space, as an editor may leave one at the end of a
// file. It is neither a line of a ledger nor damage.
func Blank(line []byte) bool { return len(bytes.TrimSpace(line)) == 0 }

// endsInSum reports whether a line ends like a line of a ledger, whether or not the checksum is
// right.
func endsInSum(line []byte) bool {
	body := len(line) - SumLen
	return body >= 0 && string(line[body:body+len(sumStart)]) == sumStart && string(line[len(line)-len(sumEnd):]) == sumEnd
}

// Foreign reports whether a file's first line shows that it is not a ledger, not even a damaged
// one. A ledger's line with one bad byte still has the right beginning or the right end.
func Foreign(line []byte) bool {
	return !bytes.HasPrefix(line, []byte(lineStart)) && !endsInSum(line)
}

// ForeignTail is [Foreign] for a file without any newline, which may be the start of a ledger's
// first line. Zeros alone may be one too, as a power failure leaves them, and spaces alone, which
// earlier versions wrote to test for free space.
func ForeignTail(tail []byte) bool {
	return !begun(bytes.TrimLeft(tail, " \x00"))
}
