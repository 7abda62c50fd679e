// Package disk is what a ledger needs from a file system: locks that end with their process,
// content and names that survive a power failure, and the identity of a file. [OS] is the operating
// system's; tests wrap it in one that fails.
package disk
