// Package batchapi speaks the dialects of the Batch API, one [Driver] each.
//
// A batch is asked for with a file of requests, a line each, that lies on this machine's disk. A
// driver says how a line is written and how many fit ([Bounds]), brings the file to the provider,
// makes the batch, looks at it, cancels it, and fetches the files of answers, whose lines
// [llmpipe/stream/record.ParseBatchOutput] reads in every dialect. Nothing of a file is held in
// memory. A driver never asks again by itself: what went wrong is a
// [llmpipe/stream/provider.CallError], which tells whether the provider may have acted all the
// same.
//
// # Dialects
//
// There are two kinds. Of OpenAI's files are uploaded, and batches made of them (openai.go): what
// each provider of that kind does otherwise is a row in a table, with where it is written
// (dialect.go), and what they answer otherwise is read for all of them alike (object.go). Gemini
// has OpenAI's batches and files of its own (google_files.go). Of Anthropic's Message Batches each
// is made with its requests in it (messages.go).
package batchapi
