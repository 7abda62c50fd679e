package ledger

import (
	"crypto/sha256"
	"encoding/binary"
)

// Key is what the index knows a record by: 64 bits of its id and 64 bits of its request.
//
// Two different records share both halves with a probability of about 1e-25 in ten million, and
// [Ledger.ReadMatch] would notice. Two different ids share the id half with about 3e-6 in ten
// million; such a pair in one run looks like a duplicate id.
type Key struct {
	ID      uint64 // the first 8 bytes, big endian, of the SHA-256 of the id's JSON token
	Request uint64 // the first 8 bytes, big endian, of the request fingerprint
}

// KeyOf returns the key of a record from its id, a JSON token as it was read, and its request
// fingerprint, which is a SHA-256 already. The token counts byte for byte: 1 and "1" are two ids.
func KeyOf(id []byte, request *[32]byte) Key {
	sum := sha256.Sum256(id)
	return Key{
		ID:      binary.BigEndian.Uint64(sum[:8]),
		Request: binary.BigEndian.Uint64(request[:8]),
	}
}

// Ref is where a result stands in its ledger. The zero Ref is no result.
type Ref uint64

// A Ref is the line's offset plus one, so that a result in the very first line has one too.
func refAt(offset int64) Ref { return Ref(offset + 1) }

func (ref Ref) offset() int64 { return int64(ref) - 1 }
