package ledger

// Group is what one [Ledger.Commit] writes.
type Group struct {
	Results  []Result
	Failures []Failure

	// Shards are steps. They are synced before Commit returns, whatever Options.Fsync says, as the
	// next step is not to be taken before this one is safe; only a simulated run with FsyncNever
	// leaves them to the system too.
	Shards []ShardEntry

	// Marks are of the file of Options.Emitted. Without such a file they are not written down,
	// since nothing could ever ask for them.
	Marks []Mark
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
	clear(g.Marks)
	g.Results, g.Failures, g.Shards, g.Marks = g.Results[:0], g.Failures[:0], g.Shards[:0], g.Marks[:0]
}
