// Package batchapi speaks the dialects of the Batch API, one [Driver] each.
//
// A batch starts as a file of requests on the local disk, one request a line. A driver says how a
// line is written and how many fit ([Bounds]). It uploads the file, creates the batch, polls it,
// cancels it, and downloads the files of answers. [llmpipe/stream/record.ParseBatchOutput] reads
// their lines in every dialect. Files are streamed, never held in memory. A driver never retries.
// The error of a call that failed wraps a [llmpipe/stream/provider.CallError], which tells whether
// the provider may have acted all the same.
//
// # Dialects
//
// There are two kinds. In OpenAI's, a file is uploaded and a batch is created from it (openai.go).
// How a provider of that kind differs is a row in a table, with its source (dialect.go); their
// different answers are read by one parser (object.go). Gemini has OpenAI's batches but its own
// files (google_files.go). In Anthropic's Message Batches, the call that creates a batch carries
// its requests (messages.go).
package batchapi
