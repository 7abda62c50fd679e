// Package input reads the inputs line by line, decodes the records, selects them (--sample,
// --limit), looks each up in the ledger and among the records of this run, and passes it on.
package input
