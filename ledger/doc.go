// Package ledger remembers what was answered, so that nothing is paid twice.
package ledger
