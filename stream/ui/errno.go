package ui

import (
	"errors"
	"syscall"
)

// MoreFiles is the hint for an error that says that too many files are open.
const MoreFiles = "this process may not have more files and connections open: ulimit -n 4096 allows it more, or -c sets fewer in flight"

// IsErrno reports whether err is the system's error number n.
func IsErrno(err error, n syscall.Errno) bool {
	var e syscall.Errno
	return errors.As(err, &e) && e == n
}
