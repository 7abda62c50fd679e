// Package journal is a run's view of its ledger: what it recalls for the reader, and what it
// records for the commit. It knows what was spent, and leaves the consequences to the account.
package journal
