// Package stream is the pipeline: it reads records, asks a provider about them and writes the
// answers. It puts the stages together, which are packages below it, and says how a run ended.
//
// # The path of one record
//
// A record goes one way, and at every moment exactly one stage owns it.
//
//	read    input/source.go   a line out of the inputs, in order, decompressed (record/lines)
//	decode  input/decode.go   what the line asks for (package record knows the shapes)
//	admit   input/admit.go    wanted (sample.go)? seen before (seen.go)? room left (flow/gate.go)?
//	look    input/attached.go inspects the files that it names (package folder)
//	recall  journal/replay.go an answer in the ledger is read back and goes on to the commit
//	pack    lane/packer.go    with --pack several requests for embeddings become one (pack.go)
//	place   lane/route.go     a lane that takes the request; retries go first
//	price   spend/worst.go    the most that it can cost, which the budgets hold while it is out
//	claim   lane/claim.go     the ledger notes that amount as at risk (journal/claims.go), and other
//	                          processes leave the record alone
//	wait    lane/neighbours.go  for the answer, if another process has already asked
//	ask     lane/ask.go       one attempt, by the worker that has the permit (workers.go);
//	                          attached files are read for it (attached.go)
//	settle  spend/account.go  what the attempt actually cost
//	fit     flow/shaped.go    with --schema: a misfit is committed, and then asked again
//	sleep   lane/retry.go     after a transient failure; it holds no worker and no permit
//	commit  output/commit.go  one goroutine: the ledger first (journal/journal.go), then the lines
//	write   output/stdout.go  to stdout, with --ordered in input order (order.go), and to --failed
//
// A record that goes by batch takes another way from admission to the commit (batch/batch.go). It
// is written to a shard on disk, with its attached files (batch/file.go), and dropped from memory.
// The shard is submitted. When its batch has ended, the record is read back and gets its answer
// (batch/deliver.go).
//
// # What the stages share
//
// All stages share a [llmpipe/stream/flow.Flow]: the messages, the shutdown, the gates, the records
// in flight by key, the counts, and the way to the commit. A stage is made from that, its own
// configuration, and the stages below it that it needs, each passed by name.
//
// # What is bounded, and by what
//
// The gate counts the records between reading and the commit, and their bytes. When a provider
// slows down, records in flight and asleep reach twice the concurrency that the limiter allows (so
// many packs, with --pack), and reading stops. When the reader of stdout slows down, commits pile
// up to the gate's bound, and reading stops. Nothing else queues in memory, so memory does not grow
// with the input.
//
// Large answers share one memory budget (provider/memory.go), from their first bytes until they are
// written. Their sizes decide how many more are asked for. A group commit ends with the record that
// fills it.
//
// An answer that has come back but is not in the ledger yet counts as in flight (flow/backlog.go).
// The space left on the ledger's disk is a bound too (journal/room.go). Both hold the limiters
// back. So a process that is killed loses at most twice the answers that it was allowed in flight,
// and a disk that is nearly full ends the run before an answer finds no space.
//
// # How a run ends
//
// flow/shutdown.go holds two contexts. The first is cancelled when nothing more may be asked: at a
// signal, a closed stdout, a provider whose quota is used up or that has been down too long, a
// configuration that cannot work. Requests in flight are then waited for and committed, and records
// that were never asked are counted as unsent. The second is cancelled when that wait ends. Every
// record read is counted once, as ok, failed or unsent, and the sum is checked at the end of every
// run (outcome.go).
package stream
