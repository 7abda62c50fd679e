// Package report has the commands that read ledgers. report shows what was answered and what that
// cost, as a table, JSON or an HTML page. export writes the results again, batches lists the
// batches, and repair writes a clean copy of a damaged ledger. models lists the prices in force.
package report
