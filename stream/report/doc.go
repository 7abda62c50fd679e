// Package report is the commands that read ledgers. report says what was answered and what that
// cost, as a table, JSON or a page of HTML. export writes the results again, batches lists the
// batches, and repair writes a clean copy of a damaged ledger. models lists the prices in force.
package report
