// Package disk is what a ledger needs of a file system: locks that end with their process, content
// and names that survive a power failure, and the identity of a file. [OS] is the machine's own;
// tests put one in front of it that fails.
package disk
