package line

import (
	"bytes"
	"hash/crc32"
)

// Budget limits the search for lines inside damage, in bytes examined. An answer may be full of
// text that looks like the beginning of a line, and each of these may make the search examine
// everything after it.
type Budget int64

// MaxSearch is the budget for the text between two newlines. It takes less than a second.
const MaxSearch Budget = 1 << 30

// SealedLen returns the length of the line that src begins with, or 0 if there is none. The line
// ends at a checksum that matches the text before it.
func SealedLen(src []byte, budget *Budget) int {
	if !Begins(src) {
		return 0
	}
	sum, summed := uint32(0), 0
	for from := 0; *budget > 0; from++ {
		i := bytes.Index(src[from:], []byte(sumStart))
		if i < 0 {
			*budget -= Budget(len(src) - from)
			break
		}
		*budget -= Budget(i + len(sumStart))
		from += i
		end := from + SumLen
		if end > len(src) || !endsInSum(src[:end]) {
			continue
		}
		sum, summed = crc32.Update(sum, castagnoli, src[summed:from]), from
		if said, ok := parseHex(src[from+len(sumStart) : end-len(sumEnd)]); ok && uint32(said) == sum {
			return end
		}
	}
	return 0
}

// Begins reports whether src begins like a line, of any kind.
func Begins(src []byte) bool { return bytes.HasPrefix(src, []byte(lineStart)) }

// NextHead returns the position of the next whole line beginning at or after from, or -1. It finds
// only known kinds: an answer may be full of objects with a kind of their own.
func NextHead(src []byte, from int) int {
	for from < len(src) {
		i := bytes.Index(src[from:], []byte(lineStart))
		if i < 0 {
			break
		}
		from += i
		if h, ok := ParseHead(src[from:]); ok && h.Kind != "" {
			return from
		}
		from++
	}
	return -1
}

// CountRecords counts the results and failures among whole lines.
func CountRecords(lines []byte) (results, failures int) {
	for each := range bytes.Lines(lines) {
		switch {
		case bytes.HasPrefix(each, []byte(resultStart)):
			results++
		case bytes.HasPrefix(each, []byte(failureStart)):
			failures++
		}
	}
	return results, failures
}
