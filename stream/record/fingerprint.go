package record

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"llmpipe/stream/record/media"
	"llmpipe/stream/record/rawjson"
)

// flushSize is how much canonical JSON is gathered before it is hashed.
const flushSize = 16 << 10

// keepSize and keepMembers bound the memory that is kept from one line to the next, so that the
// memory of one huge line is not held for ever.
const (
	keepSize    = 1 << 20 // bytes
	keepMembers = 1 << 14
)

// hasher computes the SHA-256 of JSON in a canonical form: keys sorted at every depth, no white
// space, strings with the fewest escapes. Two JSON texts that differ in nothing else have the same
// hash. Members of the same name keep their order.
type hasher struct {
	sha     hash.Hash
	buf     []byte      // canonical JSON not yet hashed
	nests   []container // all objects and arrays, in the order of their first bytes
	open    []int       // those that the first pass is inside
	entries []entry     // members of the objects that the second pass is inside
	outer   []entry     // after the second pass, the members of the outermost object, sorted
	used    int         // the most entries held at once
	blobs   int         // bytes of src that are in strings like base64
	images  int         // how many such strings
	parts   bool        // there may be parts other than text
	scratch []byte
	out     [sha256.Size]byte
}

// container says where an object or array ends. The first pass finds this out, so that the second
// can sort the members without scanning their values again, however deep those nest.
type container struct {
	end  int // position after it
	next int // number of the first container after it
}

// entry is a member of an object that is being sorted.
type entry struct {
	name  []byte // the key, unquoted
	key   rawjson.Span
	value place
	end   int // position after the value

	escaped bool // there may be an escape in the key
}

// of returns the member's value.
func (e *entry) of(src []byte) []byte { return src[e.value.at:e.end] }

// place is a position in a walk: a byte, and the number of the next container.
type place struct{ at, nest int }

func newHasher() *hasher { return &hasher{sha: sha256.New()} }

// sum returns the hash of prefix and the canonical form of the one value in src. The hasher's other
// findings about src are valid until the next sum.
func (h *hasher) sum(prefix string, src []byte) [sha256.Size]byte {
	h.sha.Reset()
	h.buf = append(h.buf[:0], prefix...)
	h.findContainers(src)
	p := place{at: rawjson.SkipSpace(src, 0)}
	h.value(src, p, h.after(src, p).at)
	h.sha.Write(h.buf)
	h.sha.Sum(h.out[:0])
	return h.out
}

// shrink releases the line, and memory that an unusually long line needed.
func (h *hasher) shrink() {
	clear(h.entries[:h.used])
	h.outer, h.used = nil, 0
	if cap(h.entries) > keepMembers {
		h.entries = nil
	}
	if cap(h.nests) > keepMembers {
		h.nests = nil
	}
	if cap(h.buf) > keepSize {
		h.buf = nil
	}
	if cap(h.scratch) > keepSize {
		h.scratch = nil
	}
}

// findContainers notes where every object and array ends, and how many bytes are not text.
func (h *hasher) findContainers(src []byte) {
	h.nests, h.open = h.nests[:0], h.open[:0]
	h.blobs, h.images, h.parts = 0, 0, false
	for i := 0; i < len(src); {
		switch src[i] {
		case '"':
			end := rawjson.SkipString(src, i)
			switch text := src[i+1 : end-1]; {
			case len(text) > blobSize && isBlob(text):
				h.blobs += end - i
				h.images++
			case media.Names(text):
				h.parts = true
			}
			i = end
			continue
		case '{', '[':
			h.open = append(h.open, len(h.nests))
			h.nests = append(h.nests, container{})
		case '}', ']':
			last := len(h.open) - 1
			h.nests[h.open[last]] = container{end: i + 1, next: len(h.nests)}
			h.open = h.open[:last]
		}
		i++
	}
}

// A string of more than blobSize bytes counts as an image or a recording, not text, if its first
// and last blobSample bytes can be base64. The tokens of such a string have nothing to do with its
// length.
const (
	blobSize   = 1 << 10
	blobSample = 256
)

func isBlob(text []byte) bool {
	const marker = ";base64,"
	if i := bytes.Index(text[:min(len(text), 128)], []byte(marker)); i >= 0 {
		text = text[i+len(marker):]
	}
	return isBase64(text[:min(len(text), blobSample)]) && isBase64(text[max(0, len(text)-blobSample):])
}

// isBase64 reports whether all of text can be base64. It may have line breaks, and slashes escaped
// as PHP escapes them.
func isBase64(text []byte) bool {
	for i, c := range text {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '/', c == '-', c == '_', c == '=':
		case c == '\\' && (i+1 == len(text) || text[i+1] == 'n' || text[i+1] == 'r' || text[i+1] == '/'):
		default:
			return false
		}
	}
	return true
}

// after returns the place after the value at p.
func (h *hasher) after(src []byte, p place) place {
	switch src[p.at] {
	case '{', '[':
		return place{h.nests[p.nest].end, h.nests[p.nest].next}
	}
	return place{rawjson.SkipValue(src, p.at), p.nest}
}

// value writes the value at p; end is the position after it. It recurses as deep as the JSON nests,
// which [rawjson.Valid] bounds at 10,000.
func (h *hasher) value(src []byte, p place, end int) {
	if len(h.buf) >= flushSize {
		h.sha.Write(h.buf)
		h.buf = h.buf[:0]
	}
	switch src[p.at] {
	case '{':
		h.object(src, p)
	case '[':
		h.array(src, p)
	case '"':
		h.string(src[p.at:end])
	default:
		h.buf = append(h.buf, src[p.at:end]...)
	}
}

func (h *hasher) array(src []byte, p place) {
	h.buf = append(h.buf, '[')
	p = place{rawjson.SkipSpace(src, p.at+1), p.nest + 1}
	for src[p.at] != ']' {
		next := h.after(src, p)
		h.value(src, p, next.at)
		p = place{rawjson.SkipSpace(src, next.at), next.nest}
		if src[p.at] == ',' {
			h.buf = append(h.buf, ',')
			p.at = rawjson.SkipSpace(src, p.at+1)
		}
	}
	h.buf = append(h.buf, ']')
}

func (h *hasher) object(src []byte, p place) {
	base := len(h.entries)
	p = place{rawjson.SkipSpace(src, p.at+1), p.nest + 1}
	for src[p.at] != '}' {
		var e entry
		e, p = h.entryAt(src, p)
		h.entries = append(h.entries, e)
		h.used = max(h.used, len(h.entries))
		if src[p.at] == ',' {
			p.at = rawjson.SkipSpace(src, p.at+1)
		}
	}
	sortEntries(h.entries[base:])
	h.buf = append(h.buf, '{')
	for n := base; n < len(h.entries); n++ {
		e := h.entries[n] // a copy: an object inside may move the slice
		if n > base {
			h.buf = append(h.buf, ',')
		}
		if e.escaped {
			h.string(e.key.Of(src))
		} else {
			h.buf = append(h.buf, e.key.Of(src)...)
		}
		h.buf = append(h.buf, ':')
		h.value(src, e.value, e.end)
	}
	h.outer, h.entries = h.entries[base:], h.entries[:base]
	h.buf = append(h.buf, '}')
}

// entryAt returns the member whose key is at p, and the place of the comma or brace after it.
func (h *hasher) entryAt(src []byte, p place) (entry, place) {
	end, escaped := rawjson.ScanString(src, p.at)
	e := entry{name: src[p.at+1 : end-1], key: rawjson.Span{Start: p.at, End: end}, escaped: escaped}
	if escaped {
		e.name = rawjson.NameOf(src[p.at:end])
	}
	colon := rawjson.SkipSpace(src, end)
	e.value = place{rawjson.SkipSpace(src, colon+1), p.nest}
	p = h.after(src, e.value)
	e.end = p.at
	p.at = rawjson.SkipSpace(src, p.at)
	return e, p
}

// sortEntries sorts entries by name. Entries of the same name keep their order. Nearly all objects
// have few members, and those are sorted by insertion.
func sortEntries(entries []entry) {
	const few = 12
	if len(entries) > few {
		slices.SortStableFunc(entries, func(a, b entry) int { return bytes.Compare(a.name, b.name) })
		return
	}
	for n := 1; n < len(entries); n++ {
		for i := n; i > 0 && bytes.Compare(entries[i-1].name, entries[i].name) > 0; i-- {
			entries[i-1], entries[i] = entries[i], entries[i-1]
		}
	}
}

// string writes a string with the fewest escapes. A string that UTF-8 cannot represent (half a
// surrogate pair, invalid bytes) is written as it is, so that two different ones never become
// equal.
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
	h.buf = rawjson.AppendQuoted(h.buf, text)
}

// fewestEscapes reports whether every escape in the string is one that [rawjson.AppendQuoted]
// writes too. It may report false for a string where this is true.
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
