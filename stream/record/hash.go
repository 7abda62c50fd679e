package record

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// flushSize is how much canonical JSON is gathered before it is hashed.
const flushSize = 16 << 10

// keepSize and keepMembers bound the memory that is kept from one line to the next, so that one huge line is not paid for ever.
const (
	keepSize    = 1 << 20 // bytes
	keepMembers = 1 << 14
)

// hasher computes the SHA-256 of JSON in a canonical form: keys sorted at every depth, no white space, strings with the fewest escapes.
// Two JSON texts that differ in nothing else have one hash. Names that come twice stay in their order.
type hasher struct {
	sha     hash.Hash
	buf     []byte  // canonical JSON not yet hashed
	entries []entry // members of the objects that the walk is inside of
	scratch []byte
	out     [sha256.Size]byte
}

// entry is a member of an object that is being sorted.
type entry struct {
	name  []byte // the key, unquoted
	key   span
	value int // where the value starts
}

func newHasher() *hasher { return &hasher{sha: sha256.New()} }

// sum returns the hash of prefix and the canonical form of the one value that src holds.
func (h *hasher) sum(prefix string, src []byte) [sha256.Size]byte {
	h.sha.Reset()
	h.buf = append(h.buf[:0], prefix...)
	h.value(src, skipSpace(src, 0))
	h.sha.Write(h.buf)
	h.sha.Sum(h.out[:0])
	if cap(h.buf) > keepSize {
		h.buf = nil
	}
	if cap(h.scratch) > keepSize {
		h.scratch = nil
	}
	if cap(h.entries) > keepMembers {
		h.entries = nil
	}
	clear(h.entries[:cap(h.entries)]) // they hold on to the line
	return h.out
}

// value writes the value that begins at i, and returns the position after it. It recurs as deep as the JSON nests, which jsontext, having
// checked it, bounds at 10,000.
func (h *hasher) value(src []byte, i int) int {
	if len(h.buf) >= flushSize {
		h.sha.Write(h.buf)
		h.buf = h.buf[:0]
	}
	if i >= len(src) {
		return i
	}
	switch src[i] {
	case '{':
		return h.object(src, i)
	case '[':
		return h.array(src, i)
	case '"':
		end := skipString(src, i)
		h.string(src[i:end])
		return end
	}
	end := skipValue(src, i)
	h.buf = append(h.buf, src[i:end]...)
	return end
}

func (h *hasher) array(src []byte, i int) int {
	h.buf = append(h.buf, '[')
	for i = skipSpace(src, i+1); i < len(src) && src[i] != ']'; {
		i = skipSpace(src, h.value(src, i))
		if i < len(src) && src[i] == ',' {
			h.buf = append(h.buf, ',')
			i = skipSpace(src, i+1)
		}
	}
	h.buf = append(h.buf, ']')
	return i + 1
}

func (h *hasher) object(src []byte, i int) int {
	base := len(h.entries)
	for i = skipSpace(src, i+1); i < len(src) && src[i] == '"'; {
		key := span{i, skipString(src, i)}
		i = skipSpace(src, key.end)
		if i < len(src) && src[i] == ':' {
			i = skipSpace(src, i+1)
		}
		h.entries = append(h.entries, entry{name: nameOf(key.of(src)), key: key, value: i})
		i = skipSpace(src, skipValue(src, i))
		if i < len(src) && src[i] == ',' {
			i = skipSpace(src, i+1)
		}
	}
	sortEntries(h.entries[base:])
	h.buf = append(h.buf, '{')
	for n := base; n < len(h.entries); n++ {
		e := h.entries[n] // a nested object may move the slice
		if n > base {
			h.buf = append(h.buf, ',')
		}
		h.string(e.key.of(src))
		h.buf = append(h.buf, ':')
		h.value(src, e.value)
	}
	h.entries = h.entries[:base]
	h.buf = append(h.buf, '}')
	return i + 1
}

// nameOf returns what a key says, without a copy where it can.
func nameOf(key []byte) []byte {
	if bytes.IndexByte(key, '\\') < 0 {
		return key[1 : len(key)-1]
	}
	return unquote(nil, key)
}

func sortEntries(entries []entry) {
	byName := func(a, b entry) int { return bytes.Compare(a.name, b.name) }
	if !slices.IsSortedFunc(entries, byName) {
		slices.SortStableFunc(entries, byName)
	}
}

// string writes a string with the fewest escapes. One that no UTF-8 can say (half a surrogate pair, bytes that are none) is written as it is, so
// that two of them are never taken for the same.
func (h *hasher) string(token []byte) {
	if fewestEscapes(token) {
		h.buf = append(h.buf, token...)
		return
	}
	text, err := jsontext.AppendUnquote(h.scratch[:0], token)
	h.scratch = text
	if err != nil {
		h.buf = append(h.buf, token...)
		return
	}
	h.buf = appendQuoted(h.buf, text)
}

// fewestEscapes says whether every escape in the string is one that appendQuoted writes too. It may say no where the answer is yes.
func fewestEscapes(token []byte) bool {
	for {
		i := bytes.IndexByte(token, '\\')
		if i < 0 || i+1 >= len(token) {
			return true
		}
		switch token[i+1] {
		case '"', '\\', 'n', 't', 'r', 'b', 'f':
			token = token[i+2:]
		default:
			return false
		}
	}
}
