package line

import (
	"slices"
	"time"
)

// ShardStep is a step in the life of a shard. A shard takes them in order, and may skip those
// between the first and the last.
type ShardStep uint8

// The steps.
const (
	ShardIntent    ShardStep = iota // its records are about to be uploaded
	ShardUploaded                   // its file is at the provider
	ShardCreated                    // the provider has made its batch
	ShardCollected                  // everything is known of it that ever will be, however it ended
)

var shardSteps = [...]string{ShardIntent: "intent", ShardUploaded: "uploaded", ShardCreated: "created", ShardCollected: "collected"}

func (s ShardStep) String() string {
	if int(s) < len(shardSteps) {
		return shardSteps[s]
	}
	return "unknown"
}

func parseShardStep(name []byte) (ShardStep, bool) {
	i := slices.Index(shardSteps[:], string(name))
	return ShardStep(max(i, 0)), i >= 0
}

// ShardEntry is a step of a shard, which is the requests that go to a provider as one batch. It is
// written before the run goes on to the next step.
type ShardEntry struct {
	Step  ShardStep
	Shard string // the shard's id, the run's choice: 1 to 64 of A-Z a-z 0-9 _ -
	Time  time.Time

	// The next fields belong to the intent.

	Provider      string
	Endpoint      string
	Model         string // as sent
	Round         int    // 1 for records that are submitted for the first time
	Reask         int    // which further turn its requests are, because answers did not fit a schema; 0 for none
	Bytes         int64  // of the file to be uploaded
	ReservedNanos int64  // the most that it can cost, in billionths of a US dollar; 0 if that was not computed
	Window        string // the completion window as the provider is asked for it: 24h
	Records       []ShardRecord

	FileID  string // the provider's name of the file, from ShardUploaded on
	BatchID string // the provider's name of the batch, from ShardCreated on

	// The next fields belong to ShardCollected.

	State     string // the last one at the provider, or the run's own word for a batch that was never created or was given up
	Answered  int64  // records with a result
	Failed    int64  // records with an error
	Missing   int64  // records with neither
	CostNanos int64  // of all its results and failures, each of which has its share on its own line; billionths of a US dollar
	CostKnown bool   // false: CostNanos means nothing
	// MayCostNanos is the most that a batch that was given up can have cost, in billionths of a US
	// dollar. It counts as spent.
	MayCostNanos int64
}

// ShardRecord is a record that is submitted in a shard.
type ShardRecord struct {
	ID             []byte   // a JSON token as it was read
	Request        [32]byte // the request's fingerprint
	CustomID       string   // its custom_id in the shard, "" if that is ID without its quotes
	DowngradedFrom string   // the model that was asked for, if the budget changed it

	Attachments []Attachment // files that the request holds, in its order

	// Not is the place of the newest result, of the record or of an equal request, that was not good
	// enough, 0 for none. It is not written.
	Not uint64
}

// maxShardID bounds the id of a shard, in bytes.
const maxShardID = 64

// ValidShardID reports whether an id may be a shard's: it must be usable as part of a file name.
func ValidShardID[T string | []byte](id T) bool {
	for i := range len(id) {
		switch b := id[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '_', b == '-':
		default:
			return false
		}
	}
	return len(id) > 0 && len(id) <= maxShardID
}
