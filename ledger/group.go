package ledger

// Group is what one [Ledger.Commit] writes.
type Group struct {
	Results  []Result
	Failures []Failure

	// Shards are steps. They are synced before Commit returns, whatever Options.Fsync says, as the
	// next step is not to be taken before this one is safe; only a simulated run with FsyncNever
	// leaves them to the system too.
	Shards []ShardEntry

	// Emitted are the keys whose results were written to the file of Options.Emitted. Without such
	// a file they are not written down, since nothing could ever ask for them.
	Emitted     []Key
	EmittedSize int64 // that file's size behind them, in bytes
}

// bytes is what the responses take, and about what stands beside them, where that is much.
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
	g.Results, g.Failures, g.Shards, g.Emitted = g.Results[:0], g.Failures[:0], g.Shards[:0], g.Emitted[:0]
	g.EmittedSize = 0
}
