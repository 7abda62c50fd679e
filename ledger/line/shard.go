package line

import (
	"slices"
	"time"
)

// ShardStep is a step in the life of a shard. A shard takes them in order, and may leave out those
// between the first and the last.
type ShardStep uint8

// The steps.
const (
	ShardIntent    ShardStep = iota // it is about to be uploaded, with these records
	ShardUploaded                   // its file is at the provider
	ShardCreated                    // its batch is
	ShardCollected                  // all is known of it that ever will be, in whatever way it ended
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

// ShardEntry is a step of a shard, the requests that go to a provider as one batch. It is written
// down before the run goes on to the next step.
type ShardEntry struct {
	Step  ShardStep
	Shard string // the shard's id, the run's choice: 1 to 64 of A-Z a-z 0-9 _ -
	Time  time.Time

	// What follows is of the intent.

	Provider      string
	Endpoint      string
	Model         string // as sent
	Round         int    // 1 for records that are submitted for the first time
	Reask         int    // which further turn its requests are, as answers did not fit a schema; 0: none
	Bytes         int64  // of the file to be uploaded
	ReservedNanos int64  // the most that it can cost, in billionths of a US dollar; 0 where that was not reckoned
	Window        string // the completion window as the provider is asked for it: 24h
	Records       []ShardRecord

	FileID  string // the provider's name of the file, from ShardUploaded on
	BatchID string // the provider's name of the batch, from ShardCreated on

	// What follows is of ShardCollected.

	State     string // the last one at the provider, or the run's own word for a batch that never was or is given up
	Answered  int64  // records with a result
	Failed    int64  // records with an error
	Missing   int64  // records with neither
	CostNanos int64  // of all its results and failures, each of which has its own part of it; billionths of a US dollar
	CostKnown bool   // false: CostNanos means nothing
	// MayCostNanos is the most that a batch can have cost which was given up, billionths of a US
	// dollar. It counts as spent.
	MayCostNanos int64
}

// ShardRecord is a record that is submitted in a shard.
type ShardRecord struct {
	ID             []byte   // a JSON token as it was read
	Request        [32]byte // the request's fingerprint
	CustomID       string   // its custom_id in the shard, "" where that is ID without its quotes
	DowngradedFrom string   // the model that was asked for, where the budget changed it

	Attachments []Attachment // files that the request holds, in its order

	// Not is where a result of the record stands that does not serve, 0 for none. It is not written
	// down.
	Not uint64
}

// maxShardID bounds the id of a shard, in bytes.
const maxShardID = 64

// ValidShardID reports whether an id may be a shard's: one that may be part of a file's name.
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
