package line

import (
	"crypto/sha256"
	"encoding/binary"
)

// Key identifies a record in a ledger's index: 64 bits of its id and 64 bits of its request.
//
// Among ten million records, the probability that two different ones share both halves is about
// 1e-25; reading the result would reveal it. The probability that two different ids share the id
// half is about 3e-6; such a pair in one run looks like a duplicate id.
type Key struct {
	ID      uint64 // the first 8 bytes, big endian, of the SHA-256 of the id's JSON token
	Request uint64 // the first 8 bytes, big endian, of the request fingerprint
}

// KeyOf returns the key of a record from its id, a JSON token as it was read, and its request
// fingerprint, which is a SHA-256 already. Tokens are compared byte for byte: 1 and "1" are two
// ids.
func KeyOf(id []byte, request *[32]byte) Key {
	sum := sha256.Sum256(id)
	return Key{
		ID:      binary.BigEndian.Uint64(sum[:8]),
		Request: binary.BigEndian.Uint64(request[:8]),
	}
}

// appendKeys writes a list of n keys, from its name to its closing bracket; at returns the i-th
// key.
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
