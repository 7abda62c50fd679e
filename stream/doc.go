// Package stream is the pipeline: it reads records, asks a provider about them and writes the
// answers.
//
// # The path of one record
//
// A record goes one way, and at every moment exactly one stage owns it.
//
//	read      source.go   a line out of the inputs, in order (decompressed and decoded by package record)
//	admit     admit.go    is it wanted (--sample, --limit), has it been met before (seen.go), is there room (gate.go)
//	replay    replay.go   what is recorded is read back, and goes on to the commit; all else is asked
//	pack      packer.go   with --pack: several requests for embeddings become one (pack.go), and each its own again at the end
//	wait      route.go    for a lane that takes it (lane.go), and for a permit of that lane's limiter; retries go first
//	ask       ask.go      one attempt, by the worker that got the permit (crew.go); what came back decides what is next
//	sleep     retry.go    after a failure that may pass; a sleeper holds no worker and no permit
//	commit    commit.go   one goroutine: the ledger first, then stdout, in input order if asked for (order.go)
//
// A record that goes by batch takes another way from admission to the commit (batch.go): it is
// written to disk and forgotten, its file is submitted, and when its batch has ended it is read
// back and has its answer.
//
// # What is bounded, and by what
//
// The gate counts the records between reading and the commit, and their bytes. When a provider
// slows down, records in flight and asleep reach twice the concurrency that the limiter allows (so
// many packs, with --pack), and reading stops. When the reader of stdout slows down, commits pile
// up to the gate's bound, and reading stops. Nothing else queues in memory, so it does not grow
// with the input.
//
// # How a run ends
//
// shutdown.go holds two contexts. The first ends when no more may be asked: at a signal, a closed
// stdout, a provider that is exhausted or gone too long, a configuration that cannot work. What is
// in flight is waited for and committed; what never was asked is counted as unsent. The second ends
// when waiting is over too. Every record read is counted once, as ok, failed or unsent, and the sum
// is checked at the end of every run.
package stream
