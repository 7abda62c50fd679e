// Package output is the commit: one goroutine that records a group of answers in the ledger, then
// writes their lines to stdout and to --failed, then releases their space in the gate.
package output
