// Package batch asks about records by the Batch API: they are written into shards on disk, which
// are submitted, awaited and collected, and each record gets its answer or goes into another shard.
package batch
