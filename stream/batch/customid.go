package batch

import (
	"fmt"

	"llmpipe/ledger"
	"llmpipe/stream/record"
)

// ownPrefix begins the custom_ids that are made here.
const ownPrefix = "llmpipe-"

// customID is a record's custom_id in a batch: its id if that is allowed, otherwise its key. For a
// further turn of a conversation it is the key and the number of the turn, so that the answer to
// one turn is not taken for the answer to another.
func customID(id []byte, request *[32]byte, turn int) string {
	if own := ownID(id); own != "" && turn == 0 {
		return own
	}
	key := ledger.KeyOf(id, request)
	own := fmt.Sprintf("%s%016x%016x", ownPrefix, key.ID, key.Request)
	if turn > 0 {
		own = fmt.Sprintf("%s-%d", own, turn)
	}
	return own
}

// customID is the custom_id of a record in the shard.
func (s *shard) customID(id []byte, request *[32]byte) string {
	return customID(id, request, s.kind.turn)
}

// ownID is a record's id if it can serve as a custom_id; empty otherwise. A number cannot, because
// it would equal a string of its digits.
func ownID(id []byte) string {
	if len(id) < 2 || id[0] != '"' {
		return ""
	}
	text := string(id[1 : len(id)-1])
	if !record.ValidCustomID(text) || len(text) > len(ownPrefix) && text[:len(ownPrefix)] == ownPrefix {
		return ""
	}
	return text
}
