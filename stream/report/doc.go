// Package report is the commands that read ledgers: what they hold was spent on (report, as a
// table, JSON or a page of HTML), their results again (export), the batches that they know
// (batches), a clean copy of a damaged one (repair), and the prices in force (models).
package report
