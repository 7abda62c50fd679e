package ledger

import (
	"llmpipe/ledger/index"
	"llmpipe/ledger/line"
)

// What is recorded; the types are package line's.
type (
	// Key identifies a record in the index.
	Key = line.Key
	// Record is what results and failures have in common.
	Record = line.Record
	// Result is a request that was answered.
	Result = line.Result
	// Earlier is what earlier answers to a record used, if another one followed them.
	Earlier = line.Earlier
	// Attachment is a file that a request held.
	Attachment = line.Attachment
	// Failure is a record that got no answer.
	Failure = line.Failure
	// RunInfo says what a run is.
	RunInfo = line.RunInfo
	// RunEnd says how a run ended.
	RunEnd = line.End
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

// ErrUnwritable is in the error of a commit whose group cannot be encoded. Nothing of the group is
// then written, and the ledger goes on.
var ErrUnwritable = line.ErrUnwritable

// KeyOf returns the key of a record from its id, a JSON token as it was read, and its request
// fingerprint.
func KeyOf(id []byte, request *[32]byte) Key { return line.KeyOf(id, request) }

// Ref is the place of a result in its ledger. The zero Ref is no result.
type Ref = index.Ref

// Group is what one [Ledger.Commit] writes.
type Group struct {
	Results  []Result
	Failures []Failure

	// Shards are steps. They are synced before Commit returns, whatever Options.Fsync says, because
	// the next step may be taken only once this one is safe. Only a simulated run with FsyncNever does
	// not sync them.
	Shards []ShardEntry
	// Bounds are the bounds that the reservations of the intents among them have to fit, given all
	// that is spent, at risk and set aside.
	Bounds Bounds

	// Lifted are records that this run no longer asks about, and that have neither a result nor a
	// failure here.
	Lifted []AtRisk

	// Marks are of the file of Options.Emitted. Without such a file they are not written, as nothing
	// could ever ask for them.
	Marks []Mark
}

// bytes is the size of the responses, plus about the size of the rest of their lines; 0 if that is
// not much.
func (g *Group) bytes() int {
	const beside = 1 << 10
	sum := 0
	for i := range g.Results {
		sum += len(g.Results[i].Response) + beside
	}
	if sum < keptOut {
		return 0
	}
	return sum
}

// Reset empties the group and keeps its memory.
func (g *Group) Reset() {
	clear(g.Results)
	clear(g.Failures)
	clear(g.Shards)
	clear(g.Marks)
	g.Results, g.Failures, g.Shards = g.Results[:0], g.Failures[:0], g.Shards[:0]
	g.Lifted, g.Marks = g.Lifted[:0], g.Marks[:0]
	g.Bounds = Bounds{}
}
