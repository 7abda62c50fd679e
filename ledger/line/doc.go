// Package line writes and reads the lines of a ledger, each kind in its own way. The comment of
// package ledger describes the format.
//
// A line is written by AppendResult, AppendFailure and their like, and ended by [Seal]. It is read
// in three steps, and most lines need only the first two: [Verify] compares the checksum,
// [ParseHead] takes what the index needs from its fixed places, and Decode finds all the other
// members. Nothing here opens a file or takes a lock.
package line
