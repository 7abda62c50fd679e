// Package naming is about the names that people give, in messages: how one that is long is shown,
// and which of the known ones a mistyped one was meant to be.
package naming

import (
	"strings"
	"unicode/utf8"
)

// The bounds of a name in a message, in bytes. Both ends tell names apart: the folder that a file
// is in, and the number that an id ends in.
const (
	most = 120
	tail = 40
)

// Short returns a name as messages show it: whole, or where it is longer than 120 bytes with an
// ellipsis in place of its middle. A name may be as long as a line of the input.
func Short[T ~string | ~[]byte](name T) string {
	if len(name) <= most {
		return string(name)
	}
	end, begin := most-tail-len("…"), len(name)-tail
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	for begin < len(name) && !utf8.RuneStart(name[begin]) {
		begin++
	}
	return strings.ToValidUTF8(string(name[:end]), "") + "…" + string(name[begin:])
}
