// Package stream is the pipeline: it reads records, asks a provider about them and writes the
// answers. It puts the stages together, which are packages below it, and says how a run ended.
//
// # The path of one record
//
// A record goes one way, and at every moment exactly one stage owns it.
//
//	read    input/source.go   a line out of the inputs, in order, decompressed (record/lines)
//	decode  input/decode.go   what the line asks for (package record knows the shapes)
//	admit   input/admit.go    wanted (sample.go)? met before (seen.go)? is there room (flow/gate.go)?
//	look    input/attached.go what are the files that it names? (package folder)
//	recall  journal/replay.go what is recorded is read back, and goes on to the commit
//	pack    lane/packer.go    with --pack several requests for embeddings become one (pack.go)
//	place   lane/route.go     a lane that takes the request; retries go first
//	price   spend/worst.go    the most that it can cost, which the budgets hold while it is out
//	claim   lane/claim.go     that is at risk in the ledger first (journal/claims.go), and nobody else's
//	wait    lane/neighbours.go  where another process has asked already, for its answer
//	ask     lane/ask.go       one attempt, by the worker that has the permit (workers.go)
//	                          with the files that are attached, read for it (attached.go)
//	settle  spend/account.go  what the attempt did cost
//	fit     flow/shaped.go    with --schema; what does not fit is committed, and then asked again
//	sleep   lane/retry.go     after a failure that may pass; it holds no worker and no permit
//	commit  output/commit.go  one goroutine: the ledger first (journal/journal.go), then the lines
//	write   output/stdout.go  to stdout, with --ordered in input order (order.go), and to --failed
//
// A record that goes by batch takes another way from admission to the commit (batch/batch.go): it
// is written to disk and forgotten, with the files that are attached (batch/file.go), what it is in
// is submitted, and when that batch has ended it is read back and has its answer
// (batch/deliver.go).
//
// # What the stages share
//
// [llmpipe/stream/flow.Flow]: how they speak, how they end, the gates, the records in flight by
// key, the counts, and the way to the commit. A stage is made with that, a configuration of its
// own, and the stages below it that it needs, each by name.
//
// # What is bounded, and by what
//
// The gate counts the records between reading and the commit, and their bytes. When a provider
// slows down, records in flight and asleep reach twice the concurrency that the limiter allows (so
// many packs, with --pack), and reading stops. When the reader of stdout slows down, commits pile
// up to the gate's bound, and reading stops. Nothing else queues in memory, so it does not grow
// with the input.
//
// Large answers take their memory from one room (provider/memory.go), from their first bytes until
// they are written, and what they turn out to be decides how many more are asked for. A group
// commit ends with the record that fills it.
//
// What has come back and is not in the ledger yet counts as in flight (flow/backlog.go), and so
// does what there is space for on its disk (journal/room.go): both hold the limiters back. A
// process that is killed so has at most twice as much to pay for again as it was told to have in
// flight, and a disk that is nearly full ends the run before an answer has no room.
//
// # How a run ends
//
// flow/shutdown.go holds two contexts. The first ends when no more may be asked: at a signal, a
// closed stdout, a provider that is exhausted or gone too long, a configuration that cannot work.
// What is in flight is waited for and committed; what never was asked is counted as unsent. The
// second ends when waiting is over too. Every record read is counted once, as ok, failed or unsent,
// and the sum is checked at the end of every run (outcome.go).
package stream
