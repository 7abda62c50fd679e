// Package line is the lines of a ledger: how each kind is written, and how it is read back. The
// format itself is the comment of package ledger.
//
// A line is written by AppendResult, AppendFailure and their like, and ended by [Seal]. It is read
// in three steps, of which most lines need only the first two: [Verify] compares the checksum,
// [ParseHead] takes what the index needs from its fixed places, and Decode finds all the other
// members. Nothing here opens a file or takes a lock.
package line
