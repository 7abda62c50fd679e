// Package batch sends records through the Batch API. It writes them into shards on disk, uploads
// each shard as a batch, polls until the batch has ended, and collects the answers. A record
// without an answer goes into another shard.
package batch
