package ledger

import "time"

// Result is a request that was answered.
//
// A Result that is given to [Ledger.Read] again and again keeps its buffers: what ID and Response
// hold is then valid until the next call only, also in copies of it.
type Result struct {
	ID       []byte   // the record's id, a JSON token as it was read
	Request  [32]byte // the request's fingerprint
	Endpoint string   // chat, embeddings, …
	Model    string   // the model that answered
	Provider string   // the provider that answered

	// DowngradedFrom is the model that was asked for, where the budget changed it.
	DowngradedFrom string
	Shard          string // the id of the shard that it was answered through, "" for none

	PromptTokens     int64
	CompletionTokens int64
	CachedTokens     int64 // the part of PromptTokens that was billed as cached
	ReasoningTokens  int64 // the part of CompletionTokens that is not in the answer

	CostNanos int64 // billionths of a US dollar, never negative
	CostKnown bool  // false: no price is known, and CostNanos means nothing
	// MayCostNanos is the most that those of the attempts can have cost of which nobody said what they did, where a budget had it set aside.
	MayCostNanos int64

	Attempts  int   // requests sent for this answer
	LatencyMS int64 // of the attempt that was answered, milliseconds
	Time      time.Time

	Simulated bool   // the simulated provider's, which a real run never takes for an answer
	Response  []byte // the response body: one JSON value on one line

	line lineBuffer
}

// Failure is a record that got no answer. It is remembered for the reports and for the spend; the
// next run tries the record again.
type Failure struct {
	ID       []byte
	Request  [32]byte
	Endpoint string
	Model    string
	Provider string
	Shard    string // the id of the shard that it failed in, "" for none

	Type    string // the class of the error: rate_limit, invalid_request, …
	Code    string // the provider's own code, if it has one
	Status  int    // the HTTP status, 0 where there was none
	Message string

	// Billed says that the provider charges for it all the same; without it the cost is 0.
	Billed           bool
	CostNanos        int64 // billionths of a US dollar, never negative
	CostKnown        bool
	MayCostNanos     int64 // as a result's
	PromptTokens     int64
	CompletionTokens int64

	Attempts  int
	LatencyMS int64
	Time      time.Time
	Simulated bool

	fields fields
}

// RunInfo says what a run is. It becomes the `run` line that stands before a run's first record,
// for whoever reads the ledger later, so it must hold no secret.
type RunInfo struct {
	ID       string // unique to the run; also names the file that a torn tail is saved in
	Time     time.Time
	Version  string // of the program
	Endpoint string
	Model    string
	Provider string

	// Simulated is set from Options.Simulated where the line is written.
	Simulated bool
}

// Emitted is a group of marks: that the results of Keys were written to the file File.
type Emitted struct {
	File      FileID
	Keys      []Key
	Simulated bool // written by a run that asks the simulated provider
}

// Group is what one [Ledger.Commit] writes.
type Group struct {
	Results  []Result
	Failures []Failure

	// Shards are steps. They are synced before Commit returns, whatever Options.Fsync says, as the next step is not to be taken
	// before this one is safe; only a simulated run with FsyncNever leaves them to the system too.
	Shards []ShardEntry

	// Emitted are the keys whose results were written to the file of Options.Emitted. Without such
	// a file they are not written down, since nothing could ever ask for them.
	Emitted     []Key
	EmittedSize int64 // that file's size behind them, in bytes
}

// Reset empties the group and keeps its memory.
func (g *Group) Reset() {
	clear(g.Results)
	clear(g.Failures)
	clear(g.Shards)
	g.Results, g.Failures, g.Shards, g.Emitted = g.Results[:0], g.Failures[:0], g.Shards[:0], g.Emitted[:0]
	g.EmittedSize = 0
}
