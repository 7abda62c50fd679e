//go:build unix

package ui

import "syscall"

// IsClosedPipe reports whether a write failed because the reader has closed the pipe.
func IsClosedPipe(err error) bool { return IsErrno(err, syscall.EPIPE) }
