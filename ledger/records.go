package ledger

import (
	"llmpipe/ledger/index"
	"llmpipe/ledger/line"
)

// What is recorded, as package line has it.
type (
	// Key is what the index knows a record by.
	Key = line.Key
	// Record is what results and failures have in common.
	Record = line.Record
	// Result is a request that was answered.
	Result = line.Result
	// Failure is a record that got no answer.
	Failure = line.Failure
	// RunInfo says what a run is.
	RunInfo = line.RunInfo
	// ShardEntry is a step of a shard.
	ShardEntry = line.ShardEntry
	// ShardRecord is a record that is submitted in a shard.
	ShardRecord = line.ShardRecord
	// ShardStep is a step in the life of a shard.
	ShardStep = line.ShardStep
)

// The steps of a shard.
const (
	ShardIntent    = line.ShardIntent
	ShardUploaded  = line.ShardUploaded
	ShardCreated   = line.ShardCreated
	ShardCollected = line.ShardCollected
)

// ErrUnwritable is in the error of a commit whose group can't be written down. Nothing of the group
// is then, and the ledger goes on.
var ErrUnwritable = line.ErrUnwritable

// KeyOf returns the key of a record from its id, a JSON token as it was read, and its request
// fingerprint.
func KeyOf(id []byte, request *[32]byte) Key { return line.KeyOf(id, request) }

// Ref is where a result stands in its ledger. The zero Ref is no result.
type Ref = index.Ref
