//go:build unix

package ui

import "syscall"

// IsClosedPipe reports whether a write failed because nobody reads any more.
func IsClosedPipe(err error) bool { return IsErrno(err, syscall.EPIPE) }
