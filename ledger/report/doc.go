// Package report adds ledgers up: what was spent, on which models and at which providers, with
// which failures and latencies, and when. [New] reads the ledgers, line by line and in bounded
// memory.
package report
