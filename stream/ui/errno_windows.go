package ui

import "syscall"

// errNoData is ERROR_NO_DATA: the pipe is being closed.
const errNoData = syscall.Errno(232)

// IsClosedPipe reports whether a write failed because the reader has closed the pipe.
func IsClosedPipe(err error) bool {
	return IsErrno(err, syscall.ERROR_BROKEN_PIPE) || IsErrno(err, errNoData)
}
