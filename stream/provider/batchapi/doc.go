// Package batchapi speaks the dialects of the Batch API, one [Driver] each.
//
// A batch is asked for with a file of requests, a line each, that lies on this machine's disk. A
// driver says how a line is written and how many fit ([Bounds]), brings the file to the provider,
// makes the batch, looks at it, cancels it, and fetches the files of answers, whose lines
// [llmpipe/stream/record.ParseBatchOutput] reads in every dialect. Nothing of a file is held in
// memory. A driver sends each request once, and never decides to send it again: what went wrong is
// a [llmpipe/stream/provider.CallError], which tells whether the provider may have acted all the
// same.
package batchapi
