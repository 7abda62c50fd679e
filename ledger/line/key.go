package line

import (
	"crypto/sha256"
	"encoding/binary"
)

// Key is what a ledger's index knows a record by: 64 bits of its id and 64 bits of its request.
//
// Two different records share both halves with a probability of about 1e-25 in ten million, which a
// read of the result would notice. Two different ids share the id half with about 3e-6 in ten
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

// appendKeys writes a list of keys from its name to its bracket. Of n keys, at returns the i-th.
func appendKeys(dst []byte, n int, at func(i int) Key) []byte {
	return appendKeyList(append(dst, keysStart...), n, at)
}

// appendKeyList is appendKeys without the name.
func appendKeyList(dst []byte, n int, at func(i int) Key) []byte {
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		k := at(i)
		dst = append(dst, '"')
		dst = appendHex(dst, k.ID)
		dst = appendHex(dst, k.Request)
		dst = append(dst, '"')
	}
	return append(dst, ']')
}
